# SPDX-License-Identifier: AGPL-3.0-or-later
"""Security keys as requests need them: the own ones, and the step between password and session."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from api.deps.acting import actor_of
from api.deps.request import Connection, Process, ProcessDep, held_token
from api.deps.second_factor import FactorUser, session_of_step
from api.deps.transactions import transaction
from api.errors import LoginStepEndedError, SecondFactorRefusedError
from central.identity.second_factor.waiting import WaitingLogins
from central.identity.security_keys.service import OwnSecurityKeys
from central.identity.security_keys.steps import KeySteps
from central.identity.types import LoggedIn, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStep:
    """A login that waits, as the page of the key shows it.

    Attributes:
        options: What the browser is to ask the keys; ``None`` where keys are off.
        has_codes: Whether the user may type a code instead.
    """

    options: str | None = field(repr=False)
    has_key: bool
    has_codes: bool


async def key_step(process: Process, token: str | None, *, now: datetime) -> KeyStep | None:
    """Ask a waiting login's keys anew; ``None`` when no login waits under this token."""
    if token is None:
        return None
    async with transaction(process) as connection:
        ways = await WaitingLogins(connection).ways(token, now=now)
        if ways is None:
            return None
        site = process.key_site
        question = await KeySteps(connection, site=site).ask(token, now=now) if site else None
    return KeyStep(
        options=question.options if question else None,
        has_key=ways.security_keys > 0,
        has_codes=ways.has_codes,
    )


async def finish_sign_in_with_key(
    process: Process,
    *,
    token: str | None,
    answer: str,
    origin: Origin,
    old_token: str | None,
    now: datetime,
) -> LoggedIn:
    """Open a session with a key. A refusal is committed before it is told, so that it counts.

    Raises:
        LoginStepEndedError: The password has to come first, again.
        SecondFactorRefusedError: The answer proves nothing, or keys are off.
        LoginDelayedError: Too many failures; the answer was not looked at.
    """
    if token is None:
        raise LoginStepEndedError
    if process.key_site is None:
        raise SecondFactorRefusedError
    async with transaction(process) as connection:
        steps = KeySteps(connection, site=process.key_site, policy=process.session_policy)
        outcome = await steps.finish(token, answer, origin=origin, old_token=old_token, now=now)
    return session_of_step(outcome, now=now)


async def own_security_keys(
    request: Request, user: FactorUser, connection: Connection, process: ProcessDep
) -> OwnSecurityKeys:
    """The keys of whoever asks.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    return OwnSecurityKeys(
        connection,
        user=user,
        token=held_token(request),
        actor=actor_of(user, request),
        site=process.key_site,
        policy=process.session_policy,
    )


OwnKeys = Annotated[OwnSecurityKeys, Depends(own_security_keys, scope="function")]
