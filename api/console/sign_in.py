# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in and out, and the choices that hold without an account: language and colours."""

import math
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.second_step import asked_for_second_factor
from api.console.account.views import ACCOUNT_PATH
from api.console.errors import LOGIN_PATH
from api.console.navigation import entries_for
from api.console.parts import Console
from api.console.users.views import USERS_PATH
from api.deps.acting import OriginDep
from api.deps.request import Identity, Now, ProcessDep, SignedIn
from api.deps.transactions import sign_in
from api.errors import (
    FirstPasswordExpiredError,
    LoginDelayedError,
    LoginRefusedError,
    SecondFactorNeededError,
)
from api.pages.i18n import Language
from api.pages.outside import LEFT_PATH, provider_name
from api.pages.rendering import (
    HOME,
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    Renderer,
    Theme,
    language_of,
    safe_next,
    set_preference,
)
from api.security.cookies import clear_session_cookie, session_token, set_session_cookie
from central.identity.permissions import PERMISSIONS, Permission
from central.identity.types import User

USERNAME_LENGTH_MAX: Final = 40
PASSWORD_LENGTH_MAX: Final = 1024
NEXT_LENGTH_MAX: Final = 4000
_SECONDS_PER_MINUTE: Final = 60

router = APIRouter(include_in_schema=False)

NextPath = Annotated[str, Form(alias="next", max_length=NEXT_LENGTH_MAX)]


@router.get("/console")
@router.get("/console/")
async def home(user: SignedIn) -> RedirectResponse:
    """The console begins at the first page that somebody may open."""
    pages = entries_for(PERMISSIONS[user.role])
    return RedirectResponse(pages[0].path if pages else LOGIN_PATH, status_code=303)


@router.get(LOGIN_PATH)
async def login_page(request: Request, console: Console) -> Response:
    """The form to sign in."""
    next_path = safe_next(request.query_params.get("next", ""))
    return console.renderer.page(
        request,
        "login.html",
        problem=None,
        username="",
        next_path=next_path,
        outside=provider_name(request),
    )


@router.post(LOGIN_PATH)
async def log_in(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
    username: Annotated[str, Form(max_length=USERNAME_LENGTH_MAX)] = "",
    password: Annotated[str, Form(max_length=PASSWORD_LENGTH_MAX)] = "",
    next_path: NextPath = HOME,
) -> Response:
    """Open a session and go on; otherwise the form again, with what is wrong."""
    try:
        opened = await sign_in(
            process,
            username=username,
            password=password,
            origin=origin,
            old_token=session_token(request),
            now=now,
        )
    except SecondFactorNeededError as needed:
        return asked_for_second_factor(request, needed, next_path=safe_next(next_path), now=now)
    except (LoginRefusedError, LoginDelayedError, FirstPasswordExpiredError) as error:
        return console.renderer.page(
            request,
            "login.html",
            status=429 if isinstance(error, LoginDelayedError) else 422,
            problem=_problem_text(console.renderer, request, error),
            username=username,
            next_path=safe_next(next_path),
            outside=provider_name(request),
        )
    target = next_page(opened.user, safe_next(next_path))
    response = RedirectResponse(target, status_code=303)
    set_session_cookie(request, response, token=opened.token, expires_at=opened.expires_at, now=now)
    return response


@router.post("/console/logout")
async def log_out(request: Request, identity: Identity) -> Response:
    """End the session and go back to the form, or say that the provider's session lasts."""
    token = session_token(request)
    proof = await identity.log_out(token) if token is not None else None
    is_outside = proof is not None and proof.is_outside and provider_name(request) is not None
    response = RedirectResponse(LEFT_PATH if is_outside else LOGIN_PATH, status_code=303)
    clear_session_cookie(request, response)
    return response


@router.post("/console/preferences")
async def choose(
    request: Request,
    language: Annotated[Language | None, Form()] = None,
    theme: Annotated[Theme | None, Form()] = None,
    next_path: NextPath = HOME,
) -> Response:
    """Remember a language or colours in the browser and go back."""
    response = RedirectResponse(safe_next(next_path), status_code=303)
    if language is not None:
        set_preference(request, response, LANGUAGE_COOKIE, language)
    if theme is not None:
        set_preference(request, response, THEME_COOKIE, theme)
    return response


def next_page(user: User, wanted: str) -> str:
    """Where somebody goes after signing in; nobody begins at a page that is refused."""
    if wanted == HOME and not user.may(Permission.SEE_PASSAGES):
        return USERS_PATH if user.may(Permission.MANAGE_USERS) else ACCOUNT_PATH
    return wanted


def _problem_text(
    renderer: Renderer,
    request: Request,
    error: LoginRefusedError | LoginDelayedError | FirstPasswordExpiredError,
) -> str:
    """Why signing in did not work, without telling which part was wrong."""
    _ = renderer.speeches[language_of(request)].text
    if isinstance(error, LoginDelayedError):
        minutes = math.ceil(error.wait_s / _SECONDS_PER_MINUTE)
        return _("Too many failed attempts. Try again in %(minutes)d min.") % {"minutes": minutes}
    if isinstance(error, FirstPasswordExpiredError):
        return _("This first password has expired. Ask an administrator for a new one.")
    return _("The user name or the password is wrong.")
