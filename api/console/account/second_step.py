# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages of the second step of signing in share, whatever is shown there."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.views import LOGIN_CODE_PATH, LOGIN_KEY_PATH, LOGIN_PATH
from api.deps.second_factor import clear_step_cookie, set_step_cookie
from api.errors import LoginDelayedError, SecondFactorNeededError, SecondFactorRefusedError
from api.pages.rendering import HOME
from api.security.cookies import set_session_cookie
from central.identity.types import LoggedIn

NEXT_LENGTH_MAX: Final = 4000
_SECONDS_PER_MINUTE: Final = 60

NextPath = Annotated[str, Form(alias="next", max_length=NEXT_LENGTH_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProblem:
    """Why no session was opened.

    Attributes:
        minutes: How long to wait; 0 when the next try is looked at.
    """

    code: str
    minutes: int = 0
    status: int = 422


WRONG: Final = StepProblem(code="wrong")


def problem_of(error: SecondFactorRefusedError | LoginDelayedError) -> StepProblem:
    """What a page says about a refusal."""
    if isinstance(error, LoginDelayedError):
        minutes = math.ceil(error.wait_s / _SECONDS_PER_MINUTE)
        return StepProblem(code="delayed", minutes=minutes, status=429)
    return WRONG


def asked_for_second_factor(
    request: Request, needed: SecondFactorNeededError, *, next_path: str, now: datetime
) -> Response:
    """From the right password on to the page of the key or of the code."""
    path = LOGIN_KEY_PATH if needed.has_security_key else LOGIN_CODE_PATH
    response = RedirectResponse(f"{path}?{urlencode({'next': next_path})}", status_code=303)
    set_step_cookie(request, response, token=needed.token, expires_at=needed.expires_at, now=now)
    return response


def begin_again(request: Request, next_path: str) -> Response:
    """Back to name and password."""
    target = LOGIN_PATH if next_path == HOME else f"{LOGIN_PATH}?{urlencode({'next': next_path})}"
    response = RedirectResponse(target, status_code=303)
    clear_step_cookie(request, response)
    return response


def go_on(request: Request, opened: LoggedIn, *, next_path: str, now: datetime) -> Response:
    """With the session on to where somebody wanted to go."""
    response = RedirectResponse(next_path, status_code=303)
    clear_step_cookie(request, response)
    set_session_cookie(request, response, token=opened.token, expires_at=opened.expires_at, now=now)
    return response
