# SPDX-License-Identifier: AGPL-3.0-or-later
"""The own second factor: set up with an app, new recovery codes, take away.

The secret and the recovery codes are shown in the answer itself, which nothing keeps.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from api.console.account.views import ACCOUNT_PATH, SECOND_FACTOR_PATH, shown_time
from api.console.parts import Console, ConsoleParts
from api.deps.acting import OriginDep
from api.deps.request import Now, ProcessDep
from api.deps.second_factor import FactorUser, OwnFactor
from api.pages.rendering import language_of
from central.documents.layout import qr_svg
from central.identity.second_factor.service import OwnSecondFactor
from central.identity.second_factor.types import (
    FactorRefused,
    RecoveryCodes,
    Refusal,
    Reproof,
    Setup,
)
from central.identity.types import Duty, LoginDelayed, User

FIELD_LENGTH_MAX: Final = 1024
_PROBLEM_OF_PASSWORD: Final = "wrong_password"  # noqa: S105 - the name of a problem
_PROBLEM_OF_CODE: Final = "wrong_code"

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Form(max_length=FIELD_LENGTH_MAX)]


@router.get(SECOND_FACTOR_PATH)
async def second_factor_page(
    request: Request,
    *,
    console: Console,
    user: FactorUser,
    own: OwnFactor,
    process: ProcessDep,
) -> Response:
    """What one has besides the password, and the forms to change it."""
    return await _page(request, console, user, own, is_on=process.seal is not None)


@router.post(f"{SECOND_FACTOR_PATH}/begin")
async def begin(
    request: Request,
    *,
    console: Console,
    user: FactorUser,
    own: OwnFactor,
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
    password: Typed = "",
) -> Response:
    """Show a new secret, to be confirmed with a code."""
    is_on = process.seal is not None
    if not password or not is_on:
        problem = _PROBLEM_OF_PASSWORD if is_on else None
        return await _page(request, console, user, own, is_on=is_on, problem=problem, status=422)
    outcome = await own.begin(password, origin=origin, now=now)
    if isinstance(outcome, Setup):
        return _setup(request, console, user, outcome)
    return await _refused(request, console, user, own, outcome)


@router.post(f"{SECOND_FACTOR_PATH}/confirm")
async def confirm(
    request: Request,
    *,
    console: Console,
    user: FactorUser,
    own: OwnFactor,
    now: Now,
    code: Typed = "",
) -> Response:
    """Ask for codes from now on and show the recovery codes, this once; or the secret again."""
    pending = await own.pending(now=now)
    if pending is None:
        return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)
    outcome = await own.confirm(code, now=now)
    if isinstance(outcome, RecoveryCodes):
        return _codes(request, console, user, outcome)
    return _setup(request, console, user, pending, problem=outcome.fault.value, status=422)


@router.post(f"{SECOND_FACTOR_PATH}/recovery-codes")
async def new_recovery_codes(
    request: Request,
    *,
    console: Console,
    user: FactorUser,
    own: OwnFactor,
    origin: OriginDep,
    now: Now,
    password: Typed = "",
    code: Typed = "",
) -> Response:
    """Show new recovery codes, this once; the old ones are over."""
    if not password or not code:
        return await _incomplete(request, console, user, own, password=password)
    reproof = Reproof(password=password, code=code)
    outcome = await own.new_recovery_codes(reproof, origin=origin, now=now)
    if isinstance(outcome, RecoveryCodes):
        return _codes(request, console, user, outcome)
    return await _refused(request, console, user, own, outcome)


@router.post(f"{SECOND_FACTOR_PATH}/remove")
async def remove(
    request: Request,
    *,
    console: Console,
    user: FactorUser,
    own: OwnFactor,
    origin: OriginDep,
    now: Now,
    password: Typed = "",
    code: Typed = "",
) -> Response:
    """Ask for no codes any more."""
    if not password or not code:
        return await _incomplete(request, console, user, own, password=password)
    outcome = await own.remove(Reproof(password=password, code=code), origin=origin, now=now)
    if isinstance(outcome, Refusal):
        return await _refused(request, console, user, own, outcome)
    return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)


async def _incomplete(
    request: Request, console: ConsoleParts, user: User, own: OwnSecondFactor, *, password: str
) -> Response:
    """A form with an empty field: no guess, so nothing is counted."""
    problem = _PROBLEM_OF_CODE if password else _PROBLEM_OF_PASSWORD
    return await _page(request, console, user, own, problem=problem, status=422)


async def _refused(
    request: Request, console: ConsoleParts, user: User, own: OwnSecondFactor, refusal: Refusal
) -> Response:
    """The page again, with what is wrong; nothing that was typed comes back."""
    if isinstance(refusal, LoginDelayed):
        return await _page(request, console, user, own, problem="delayed", status=429)
    code = refusal.fault.value if isinstance(refusal, FactorRefused) else _PROBLEM_OF_PASSWORD
    return await _page(request, console, user, own, problem=code, status=422)


async def _page(
    request: Request,
    console: ConsoleParts,
    user: User,
    own: OwnSecondFactor,
    *,
    is_on: bool = True,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    overview = await own.overview()
    speech = console.renderer.speeches[language_of(request)]
    added_at = overview.app_added_at
    return console.renderer.page(
        request,
        "account/second_factor.html",
        user=None if user.duty else user,
        status=status,
        is_on=is_on,
        is_duty=user.duty is Duty.ADD_SECOND_FACTOR,
        added=None if added_at is None else shown_time(added_at, speech),
        codes_left=overview.recovery_codes_left,
        problem=problem,
        account_path=ACCOUNT_PATH,
    )


def _setup(
    request: Request,
    console: ConsoleParts,
    user: User,
    setup: Setup,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    """The secret, for the app's camera and for typing."""
    return console.renderer.page(
        request,
        "account/second_factor_setup.html",
        user=None if user.duty else user,
        status=status,
        secret=setup.secret,
        qr=Markup(qr_svg(setup.uri)),  # noqa: S704 - drawn by us, of squares only
        problem=problem,
    )


def _codes(request: Request, console: ConsoleParts, user: User, made: RecoveryCodes) -> Response:
    """Recovery codes, shown once."""
    return console.renderer.page(
        request,
        "account/recovery_codes.html",
        user=None if user.duty else user,
        codes=made.codes,
        account_path=ACCOUNT_PATH,
    )
