# SPDX-License-Identifier: AGPL-3.0-or-later
"""The own second factor: set up with an app, new recovery codes, take away.

The secret and the recovery codes are shown in the answer itself, which nothing keeps.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from api.console.account.factor_page import PROBLEM_OF_PASSWORD, FactorDesk, FactorDeskDep
from api.console.account.views import SECOND_FACTOR_PATH
from api.deps.acting import OriginDep
from api.deps.request import Now
from central.documents.layout import qr_svg
from central.identity.second_factor.types import RecoveryCodes, Refusal, Reproof, Setup

FIELD_LENGTH_MAX: Final = 1024
_PROBLEM_OF_CODE: Final = "wrong_code"

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Form(max_length=FIELD_LENGTH_MAX)]


@router.get(SECOND_FACTOR_PATH)
async def second_factor_page(*, desk: FactorDeskDep) -> Response:
    """What one has besides the password, and the forms to change it."""
    return await desk.page()


@router.post(f"{SECOND_FACTOR_PATH}/begin")
async def begin(
    *, desk: FactorDeskDep, origin: OriginDep, now: Now, password: Typed = ""
) -> Response:
    """Show a new secret, to be confirmed with a code."""
    is_on = desk.process.seal is not None
    if not password or not is_on:
        return await desk.page(problem=PROBLEM_OF_PASSWORD if is_on else None, status=422)
    outcome = await desk.own.begin(password, origin=origin, now=now)
    if isinstance(outcome, Setup):
        return _setup(desk, outcome)
    return await desk.refused(outcome)


@router.post(f"{SECOND_FACTOR_PATH}/confirm")
async def confirm(*, desk: FactorDeskDep, now: Now, code: Typed = "") -> Response:
    """Ask for codes from now on and show the recovery codes, this once; or the secret again."""
    pending = await desk.own.pending(now=now)
    if pending is None:
        return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)
    outcome = await desk.own.confirm(code, now=now)
    if isinstance(outcome, RecoveryCodes):
        return desk.recovery_codes(outcome)
    return _setup(desk, pending, problem=outcome.fault.value, status=422)


@router.post(f"{SECOND_FACTOR_PATH}/recovery-codes")
async def new_recovery_codes(
    *,
    desk: FactorDeskDep,
    origin: OriginDep,
    now: Now,
    password: Typed = "",
    code: Typed = "",
) -> Response:
    """Show new recovery codes, this once; the old ones are over."""
    if not password or not code:
        return await _incomplete(desk, password=password)
    reproof = Reproof(password=password, code=code)
    outcome = await desk.own.new_recovery_codes(reproof, origin=origin, now=now)
    if isinstance(outcome, RecoveryCodes):
        return desk.recovery_codes(outcome)
    return await desk.refused(outcome)


@router.post(f"{SECOND_FACTOR_PATH}/remove")
async def remove(
    *,
    desk: FactorDeskDep,
    origin: OriginDep,
    now: Now,
    password: Typed = "",
    code: Typed = "",
) -> Response:
    """Ask for no codes any more."""
    if not password or not code:
        return await _incomplete(desk, password=password)
    reproof = Reproof(password=password, code=code)
    outcome = await desk.own.remove(reproof, origin=origin, now=now)
    if isinstance(outcome, Refusal):
        return await desk.refused(outcome)
    return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)


async def _incomplete(desk: FactorDesk, *, password: str) -> Response:
    """A form with an empty field: no guess, so nothing is counted."""
    problem = _PROBLEM_OF_CODE if password else PROBLEM_OF_PASSWORD
    return await desk.page(problem=problem, status=422)


def _setup(
    desk: FactorDesk, setup: Setup, *, problem: str | None = None, status: int = 200
) -> Response:
    """The secret, for the app's camera and for typing."""
    return desk.console.renderer.page(
        desk.request,
        "account/second_factor_setup.html",
        user=desk.shown_user,
        status=status,
        secret=setup.secret,
        qr=Markup(qr_svg(setup.uri)),  # noqa: S704 - drawn by us, of squares only
        problem=problem,
    )
