# SPDX-License-Identifier: AGPL-3.0-or-later
"""The own account: another password, and the own sessions with a way to end them."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.views import ACCOUNT_PATH, PASSWORD_PATH, session_view
from api.console.parts import Console, ConsoleParts
from api.deps.acting import OriginDep, actor_of
from api.deps.request import Connection, Now, ProcessDep, SessionUser, SignedIn, held_token
from api.errors import NotHereError
from api.pages.outside import provider_name
from api.pages.rendering import HOME, language_of
from api.security.cookies import set_session_cookie
from central.errors import SessionInvalidError
from central.identity.own_account import (
    ChangeOutcome,
    EndOutcome,
    OwnAccount,
    PasswordChange,
    PasswordNeeded,
    PasswordRefused,
    SessionsEnded,
)
from central.identity.passwords import PASSWORD_LENGTH_MIN
from central.identity.types import Duty, LoggedIn, LoginDelayed, User

FIELD_LENGTH_MAX: Final = 1024

router = APIRouter(include_in_schema=False)

PasswordField = Annotated[str, Form(max_length=FIELD_LENGTH_MAX)]


async def own_account(
    request: Request, user: SessionUser, connection: Connection, process: ProcessDep
) -> OwnAccount:
    """The account of whoever asks.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    return OwnAccount(
        connection,
        user=user,
        token=held_token(request),
        actor=actor_of(user, request),
        policy=process.session_policy,
        words_file=process.settings.password_words_file,
    )


Own = Annotated[OwnAccount, Depends(own_account, scope="function")]


@router.get(ACCOUNT_PATH)
async def account_page(
    request: Request, *, console: Console, user: SignedIn, own: Own, now: Now
) -> Response:
    """Who one is here, and where one is signed in."""
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "account/account.html",
        user=user,
        account=user,
        sessions=[session_view(each, speech) for each in await own.sessions(now=now)],
        outside=provider_name(request),
    )


@router.post(f"{ACCOUNT_PATH}/sessions/end-others")
async def end_other_sessions(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    own: Own,
    origin: OriginDep,
    now: Now,
    password: PasswordField = "",
) -> Response:
    """Sign out everywhere but here; long after signing in the password is asked for again."""
    outcome = await own.end_other_sessions(password=password, origin=origin, now=now)
    return _ended(request, console, user, outcome)


@router.post(f"{ACCOUNT_PATH}/sessions/{{session_id}}/end")
async def end_session(
    request: Request,
    session_id: UUID,
    *,
    console: Console,
    user: SignedIn,
    own: Own,
    origin: OriginDep,
    now: Now,
    password: PasswordField = "",
) -> Response:
    """Sign out at one place; that of somebody else is not there."""
    try:
        outcome = await own.end_session(session_id, password=password, origin=origin, now=now)
    except SessionInvalidError as error:
        raise NotHereError from error
    return _ended(request, console, user, outcome)


@router.get(PASSWORD_PATH)
async def password_page(request: Request, *, console: Console, user: SessionUser) -> Response:
    """The form for another password."""
    return _password_form(request, console, user)


@router.post(PASSWORD_PATH)
async def change_password(
    request: Request,
    *,
    console: Console,
    user: SessionUser,
    own: Own,
    origin: OriginDep,
    now: Now,
    old: PasswordField = "",
    new: PasswordField = "",
    again: PasswordField = "",
) -> Response:
    """Replace the password and go on with a new session; or the form again."""
    if new != again:
        return _password_form(request, console, user, problem="differs", status=422)
    outcome = await own.change_password(PasswordChange(old=old, new=new), origin=origin, now=now)
    if not isinstance(outcome, LoggedIn):
        status = 429 if isinstance(outcome, LoginDelayed) else 422
        return _password_form(request, console, user, problem=_code(outcome), status=status)
    response = RedirectResponse(
        HOME if user.duty is Duty.CHANGE_PASSWORD else ACCOUNT_PATH, status_code=303
    )
    set_session_cookie(
        request, response, token=outcome.token, expires_at=outcome.expires_at, now=now
    )
    return response


def _ended(request: Request, console: ConsoleParts, user: User, outcome: EndOutcome) -> Response:
    """Back to the account, or the form that asks for the password again."""
    if isinstance(outcome, SessionsEnded):
        return RedirectResponse(ACCOUNT_PATH, status_code=303)
    problem = None if isinstance(outcome, PasswordNeeded) else _code(outcome)
    return console.renderer.page(
        request,
        "account/end_sessions.html",
        user=user,
        status=429 if isinstance(outcome, LoginDelayed) else 422,
        action=request.url.path,
        problem=problem,
    )


def _code(outcome: ChangeOutcome | EndOutcome) -> str:
    """What is wrong, as the page's words name it."""
    if isinstance(outcome, PasswordRefused):
        return outcome.fault.value
    return "delayed" if isinstance(outcome, LoginDelayed) else "wrong_old"


def _password_form(
    request: Request,
    console: ConsoleParts,
    user: User,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    """The form, perhaps with what is wrong; nothing that was typed comes back."""
    return console.renderer.page(
        request,
        "account/password.html",
        user=user,
        status=status,
        problem=problem,
        length_min=PASSWORD_LENGTH_MIN,
        is_first=user.duty is Duty.CHANGE_PASSWORD,
    )
