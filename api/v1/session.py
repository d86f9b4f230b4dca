# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in and out for programs."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response

from api.deps.acting import OriginDep
from api.deps.request import Identity, Now, ProcessDep
from api.deps.second_factor import (
    clear_step_cookie,
    finish_sign_in,
    set_step_cookie,
    step_token,
)
from api.deps.transactions import sign_in
from api.errors import SecondFactorNeededError
from api.security.cookies import clear_session_cookie, session_token, set_session_cookie
from api.v1.documented import problems
from api.v1.requests import CodeBody, LoginBody
from api.v1.schemas import SessionBody

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post(
    "",
    status_code=201,
    responses=problems(
        "login-refused",
        "login-delayed",
        "first-password-expired",
        "second-factor-needed",
        "request-invalid",
        "cross-origin-request",
        "database-unavailable",
    ),
)
async def open_session(
    request: Request,
    response: Response,
    *,
    body: Annotated[LoginBody, Body()],
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
) -> SessionBody:
    """Open a session; its cookie ``luuthong_session`` comes with the answer.

    Whoever has a second factor is answered ``second-factor-needed`` with another cookie, which
    ``/v1/session/second-factor`` wants to see beside the code.
    """
    try:
        opened = await sign_in(
            process,
            username=body.username,
            password=body.password.get_secret_value(),
            origin=origin,
            old_token=session_token(request),
            now=now,
        )
    except SecondFactorNeededError as needed:
        set_step_cookie(
            request, response, token=needed.token, expires_at=needed.expires_at, now=now
        )
        raise SecondFactorNeededError(
            token=needed.token,
            expires_at=needed.expires_at,
            headers={"Set-Cookie": response.headers["set-cookie"]},
        ) from needed
    set_session_cookie(request, response, token=opened.token, expires_at=opened.expires_at, now=now)
    return SessionBody.of(opened.user, expires_at=opened.expires_at)


@router.post(
    "/second-factor",
    status_code=201,
    responses=problems(
        "second-factor-refused",
        "login-step-ended",
        "login-delayed",
        "request-invalid",
        "cross-origin-request",
        "second-factor-off",
        "database-unavailable",
    ),
)
async def open_session_with_code(
    request: Request,
    response: Response,
    *,
    body: Annotated[CodeBody, Body()],
    process: ProcessDep,
    origin: OriginDep,
    now: Now,
) -> SessionBody:
    """Open the session of a right password with a code, within five minutes."""
    opened = await finish_sign_in(
        process,
        token=step_token(request),
        code=body.code.get_secret_value(),
        origin=origin,
        old_token=session_token(request),
        now=now,
    )
    set_session_cookie(request, response, token=opened.token, expires_at=opened.expires_at, now=now)
    clear_step_cookie(request, response)
    return SessionBody.of(opened.user, expires_at=opened.expires_at)


@router.delete("", status_code=204, responses=problems("cross-origin-request"))
async def end_session(request: Request, response: Response, identity: Identity) -> None:
    """End the session of the cookie; without one there is nothing to do."""
    token = session_token(request)
    if token is not None:
        await identity.log_out(token)
    clear_session_cookie(request, response)
