# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors as pages for citizens; each shows the way back to the question."""

from starlette.requests import Request
from starlette.responses import Response

from api.pages.rendering import language_of
from api.problems.problem import Problem
from api.public.codes import CODE_LENGTH_MAX
from api.public.labels import problem_words
from api.public.parts import public_behind


def public_problem_page(request: Request, problem: Problem, *, request_id: str) -> Response:
    """An error in words for people who never saw this page before."""
    renderer = public_behind(request).renderer
    title, advice = problem_words(renderer.speeches[language_of(request)].text, problem.code)
    response = renderer.page(
        request,
        "error.html",
        status=problem.status,
        title=title,
        advice=advice,
        code=str(request.path_params.get("code", ""))[:CODE_LENGTH_MAX],
        request_id=request_id,
    )
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response
