# SPDX-License-Identifier: AGPL-3.0-or-later
"""The second page of signing in: a code of the app, or a recovery code."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from api.console.account.second_step import NextPath, StepProblem, begin_again, go_on, problem_of
from api.console.account.views import LOGIN_CODE_PATH
from api.console.parts import Console, ConsoleParts
from api.deps.acting import OriginDep
from api.deps.request import Now, ProcessDep
from api.deps.second_factor import finish_sign_in, step_token, step_ways
from api.errors import LoginDelayedError, LoginStepEndedError, SecondFactorRefusedError
from api.pages.rendering import HOME, safe_next
from api.security.cookies import session_token

CODE_LENGTH_MAX: Final = 100

router = APIRouter(include_in_schema=False)


@router.get(LOGIN_CODE_PATH)
async def code_page(
    request: Request, *, console: Console, process: ProcessDep, now: Now
) -> Response:
    """The form for the code; without a right password before it the way to that."""
    next_path = safe_next(request.query_params.get("next", ""))
    ways = await step_ways(process, step_token(request), now=now)
    if ways is None:
        return begin_again(request, next_path)
    return _form(request, console, next_path=next_path, has_key=ways.security_keys > 0)


@router.post(LOGIN_CODE_PATH)
async def take_code(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
    code: Annotated[str, Form(max_length=CODE_LENGTH_MAX)] = "",
    next_path: NextPath = HOME,
) -> Response:
    """Open the session and go on; otherwise the form again, with what is wrong."""
    target, token = safe_next(next_path), step_token(request)
    try:
        opened = await finish_sign_in(
            process,
            token=token,
            code=code,
            origin=origin,
            old_token=session_token(request),
            now=now,
        )
    except LoginStepEndedError:
        return begin_again(request, target)
    except (SecondFactorRefusedError, LoginDelayedError) as error:
        ways = await step_ways(process, token, now=now)
        return _form(
            request,
            console,
            next_path=target,
            has_key=ways is not None and ways.security_keys > 0,
            problem=problem_of(error),
        )
    return go_on(request, opened, next_path=target, now=now)


def _form(
    request: Request,
    console: ConsoleParts,
    *,
    next_path: str,
    has_key: bool,
    problem: StepProblem | None = None,
) -> Response:
    return console.renderer.page(
        request,
        "account/sign_in_code.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        next_path=next_path,
        has_key=has_key,
    )
