# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors as pages: the same problems that ``/v1`` answers with, in words for people."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.console.account.views import LOGIN_PATH, PASSWORD_PATH, SECOND_FACTOR_PATH
from api.console.labels import error_words
from api.console.parts import console_behind
from api.errors import PasswordChangeNeededError, SecondFactorSetupNeededError
from api.pages.rendering import HOME, here_of, language_of
from api.problems.problem import Problem

__all__ = ["LOGIN_PATH", "ErrorView", "problem_page"]

_RETRY_STATUSES: Final = frozenset({500, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """An error as a page shows it."""

    status: int
    code: str
    title: str
    advice: str
    request_id: str
    may_retry: bool
    way_out: str


def problem_page(request: Request, problem: Problem, *, request_id: str) -> Response:
    """An error as a page, or as a piece of one; without a session the way to the login."""
    is_piece = "hx-request" in request.headers
    if problem.status == 401:  # noqa: PLR2004 - the one status that leads to the login
        target = f"{LOGIN_PATH}?{urlencode({'next': here_of(request)})}"
        if is_piece:
            return Response(status_code=401, headers={"HX-Redirect": f"{LOGIN_PATH}?next={HOME}"})
        if "text/event-stream" in request.headers.get("accept", ""):
            return Response(status_code=401)
        return RedirectResponse(target, status_code=303)
    if problem.code == PasswordChangeNeededError.code and not is_piece:
        return RedirectResponse(PASSWORD_PATH, status_code=303)
    if problem.code == SecondFactorSetupNeededError.code and not is_piece:
        return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)
    renderer = console_behind(request).renderer
    text = renderer.speeches[language_of(request)].text
    told = error_words(text, problem.code)
    may_retry = problem.status in _RETRY_STATUSES
    view = ErrorView(
        status=problem.status,
        code=problem.code,
        title=told.title,
        advice=told.advice,
        request_id=request_id,
        may_retry=may_retry,
        way_out=here_of(request) if may_retry else HOME,
    )
    if is_piece:
        response = renderer.piece(request, "error_part.html", status=problem.status, error=view)
    else:
        response = renderer.page(request, "error.html", status=problem.status, error=view)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response
