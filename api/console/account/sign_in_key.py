# SPDX-License-Identifier: AGPL-3.0-or-later
"""The second page of signing in for whoever has a security key."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.second_step import (
    WRONG,
    NextPath,
    StepProblem,
    begin_again,
    go_on,
    problem_of,
)
from api.console.account.views import LOGIN_CODE_PATH, LOGIN_KEY_PATH, elsewhere
from api.console.parts import Console, ConsoleParts
from api.deps.acting import OriginDep
from api.deps.request import Now, Process, ProcessDep
from api.deps.second_factor import step_token
from api.deps.security_keys import KeyStep, finish_sign_in_with_key, key_step
from api.errors import LoginDelayedError, LoginStepEndedError, SecondFactorRefusedError
from api.pages.rendering import HOME, safe_next
from api.security.cookies import session_token
from central.identity.security_keys.ceremonies import ANSWER_LENGTH_MAX

router = APIRouter(include_in_schema=False)


@router.get(LOGIN_KEY_PATH)
async def key_page(
    request: Request, *, console: Console, process: ProcessDep, now: Now
) -> Response:
    """A new question to the key; without a right password before it the way to that."""
    next_path = safe_next(request.query_params.get("next", ""))
    step = await key_step(process, step_token(request), now=now)
    return _page(request, console, process, step, next_path=next_path)


@router.post(LOGIN_KEY_PATH)
async def take_answer(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
    answer: Annotated[str, Form(max_length=ANSWER_LENGTH_MAX)] = "",
    next_path: NextPath = HOME,
) -> Response:
    """Open the session and go on; otherwise a new question, with what is wrong."""
    target, token = safe_next(next_path), step_token(request)
    problem = WRONG
    if answer:  # an empty form is no guess, so nothing is counted
        try:
            opened = await finish_sign_in_with_key(
                process,
                token=token,
                answer=answer,
                origin=origin,
                old_token=session_token(request),
                now=now,
            )
        except LoginStepEndedError:
            return begin_again(request, target)
        except (SecondFactorRefusedError, LoginDelayedError) as error:
            problem = problem_of(error)
        else:
            return go_on(request, opened, next_path=target, now=now)
    step = await key_step(process, token, now=now)
    return _page(request, console, process, step, next_path=target, problem=problem)


def _page(
    request: Request,
    console: ConsoleParts,
    process: Process,
    step: KeyStep | None,
    *,
    next_path: str,
    problem: StepProblem | None = None,
) -> Response:
    """The page that asks for the key, or the way to where somebody without one belongs."""
    if step is None:
        return begin_again(request, next_path)
    code_path = f"{LOGIN_CODE_PATH}?{urlencode({'next': next_path})}"
    if not step.has_key:
        return RedirectResponse(code_path, status_code=303)
    return console.renderer.page(
        request,
        "account/sign_in_key.html",
        status=200 if problem is None else problem.status,
        problem=problem,
        next_path=next_path,
        options=step.options,
        elsewhere=elsewhere(request, process.key_site),
        code_path=code_path if step.has_codes else None,
    )
