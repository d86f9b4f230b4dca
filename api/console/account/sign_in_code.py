# SPDX-License-Identifier: AGPL-3.0-or-later
"""The second page of signing in: a code of the app, or a recovery code."""

import math
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.views import LOGIN_CODE_PATH, LOGIN_PATH
from api.console.parts import Console, ConsoleParts
from api.deps.acting import OriginDep
from api.deps.request import Now, ProcessDep
from api.deps.second_factor import (
    clear_step_cookie,
    finish_sign_in,
    is_step_open,
    set_step_cookie,
    step_token,
)
from api.errors import (
    LoginDelayedError,
    LoginStepEndedError,
    SecondFactorNeededError,
    SecondFactorRefusedError,
)
from api.pages.rendering import HOME, safe_next
from api.security.cookies import session_token, set_session_cookie

CODE_LENGTH_MAX: Final = 100
NEXT_LENGTH_MAX: Final = 4000
_SECONDS_PER_MINUTE: Final = 60

router = APIRouter(include_in_schema=False)


def asked_for_code(
    request: Request, needed: SecondFactorNeededError, *, next_path: str, now: datetime
) -> Response:
    """From the right password on to the page of the code."""
    target = f"{LOGIN_CODE_PATH}?{urlencode({'next': next_path})}"
    response = RedirectResponse(target, status_code=303)
    set_step_cookie(request, response, token=needed.token, expires_at=needed.expires_at, now=now)
    return response


@router.get(LOGIN_CODE_PATH)
async def code_page(
    request: Request, *, console: Console, process: ProcessDep, now: Now
) -> Response:
    """The form for the code; without a right password before it the way to that."""
    next_path = safe_next(request.query_params.get("next", ""))
    if not await is_step_open(process, step_token(request), now=now):
        return _begin_again(request, next_path)
    return _form(request, console, next_path=next_path)


@router.post(LOGIN_CODE_PATH)
async def take_code(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
    code: Annotated[str, Form(max_length=CODE_LENGTH_MAX)] = "",
    next_path: Annotated[str, Form(alias="next", max_length=NEXT_LENGTH_MAX)] = HOME,
) -> Response:
    """Open the session and go on; otherwise the form again, with what is wrong."""
    try:
        opened = await finish_sign_in(
            process,
            token=step_token(request),
            code=code,
            origin=origin,
            old_token=session_token(request),
            now=now,
        )
    except LoginStepEndedError:
        return _begin_again(request, safe_next(next_path))
    except SecondFactorRefusedError:
        return _form(request, console, next_path=safe_next(next_path), problem="wrong", status=422)
    except LoginDelayedError as error:
        return _form(
            request,
            console,
            next_path=safe_next(next_path),
            problem="delayed",
            minutes=math.ceil(error.wait_s / _SECONDS_PER_MINUTE),
            status=429,
        )
    response = RedirectResponse(safe_next(next_path), status_code=303)
    clear_step_cookie(request, response)
    set_session_cookie(request, response, token=opened.token, expires_at=opened.expires_at, now=now)
    return response


def _begin_again(request: Request, next_path: str) -> Response:
    """Back to name and password."""
    target = LOGIN_PATH if next_path == HOME else f"{LOGIN_PATH}?{urlencode({'next': next_path})}"
    response = RedirectResponse(target, status_code=303)
    clear_step_cookie(request, response)
    return response


def _form(
    request: Request,
    console: ConsoleParts,
    *,
    next_path: str,
    problem: str | None = None,
    minutes: int = 0,
    status: int = 200,
) -> Response:
    return console.renderer.page(
        request,
        "account/sign_in_code.html",
        status=status,
        problem=problem,
        minutes=minutes,
        next_path=next_path,
    )
