# SPDX-License-Identifier: AGPL-3.0-or-later
"""The step between password and session, and the own second factor, as requests need them."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from api.deps.acting import actor_of
from api.deps.request import Connection, Process, ProcessDep, SessionUser, held_token
from api.deps.transactions import opened_session, transaction
from api.errors import (
    LoginStepEndedError,
    PasswordChangeNeededError,
    SecondFactorRefusedError,
)
from api.security.cookies import (
    TOKEN_LENGTH_MAX,
    clear_cookie,
    cookie,
    set_cookie,
)
from central.identity.second_factor.service import OwnSecondFactor
from central.identity.second_factor.steps import LoginSteps
from central.identity.second_factor.types import FactorOverview, LoginStepEnded, StepOutcome
from central.identity.second_factor.waiting import WaitingLogins
from central.identity.types import Duty, LoggedIn, LoginRefused, Origin, User

STEP_COOKIE: Final = "luuthong_login_step"


def step_token(request: Request) -> str | None:
    """Token of a login whose password was right; ``None`` when there is none."""
    token = cookie(request, STEP_COOKIE)
    return token if token and len(token) <= TOKEN_LENGTH_MAX else None


def set_step_cookie(
    request: Request, response: Response, *, token: str, expires_at: datetime, now: datetime
) -> None:
    """Hand a waiting login to the browser."""
    age_s = int((expires_at - now).total_seconds())
    set_cookie(request, response, STEP_COOKIE, token, max_age_s=age_s)


def clear_step_cookie(request: Request, response: Response) -> None:
    """Take it back once it is over."""
    clear_cookie(request, response, STEP_COOKIE)


async def step_ways(process: Process, token: str | None, *, now: datetime) -> FactorOverview | None:
    """What may be shown besides the password; ``None`` when no login waits for it."""
    if token is None:
        return None
    async with transaction(process) as connection:
        return await WaitingLogins(connection).ways(token, now=now)


async def finish_sign_in(
    process: Process,
    *,
    token: str | None,
    code: str,
    origin: Origin,
    old_token: str | None,
    now: datetime,
) -> LoggedIn:
    """Open a session with a code. A refusal is committed before it is told, so that it counts.

    Raises:
        LoginStepEndedError: The password has to come first, again.
        SecondFactorRefusedError: The code is wrong or was used.
        LoginDelayedError: Too many failures; the code was not looked at.
    """
    if token is None:
        raise LoginStepEndedError
    async with transaction(process) as connection:
        steps = LoginSteps(connection, seal=process.seal, policy=process.session_policy)
        outcome = await steps.finish(token, code, origin=origin, old_token=old_token, now=now)
    return session_of_step(outcome, now=now)


def session_of_step(outcome: StepOutcome, *, now: datetime) -> LoggedIn:
    """The session that a second proof opened.

    Raises:
        LoginStepEndedError: The password has to come first, again.
        SecondFactorRefusedError: The proof is none.
        LoginDelayedError: Too many failures; the proof was not looked at.
    """
    if isinstance(outcome, LoginStepEnded):
        raise LoginStepEndedError
    if isinstance(outcome, LoginRefused):
        raise SecondFactorRefusedError
    return opened_session(outcome, now=now)


async def factor_user(user: SessionUser) -> User:
    """Whoever is signed in, also somebody who has to set a second factor up first.

    Raises:
        NotSignedInError: Nobody is signed in.
        PasswordChangeNeededError: An own password comes before that.
    """
    if user.duty is Duty.CHANGE_PASSWORD:
        raise PasswordChangeNeededError
    return user


FactorUser = Annotated[User, Depends(factor_user, scope="function")]


async def own_second_factor(
    request: Request, user: FactorUser, connection: Connection, process: ProcessDep
) -> OwnSecondFactor:
    """The second factor of whoever asks.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    return OwnSecondFactor(
        connection,
        user=user,
        token=held_token(request),
        actor=actor_of(user, request),
        seal=process.seal,
        policy=process.session_policy,
    )


OwnFactor = Annotated[OwnSecondFactor, Depends(own_second_factor, scope="function")]
