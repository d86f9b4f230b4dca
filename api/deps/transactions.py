# SPDX-License-Identifier: AGPL-3.0-or-later
"""Transactions for work that must not hold a connection for a whole request."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from psycopg import AsyncConnection

from api.deps.request import Process
from api.errors import (
    FirstPasswordExpiredError,
    LoginDelayedError,
    LoginRefusedError,
    SecondFactorNeededError,
)
from central.db.outages import translated_outages
from central.identity.service import IdentityService
from central.identity.types import (
    FirstPasswordExpired,
    LoggedIn,
    LoginDelayed,
    LoginOutcome,
    Origin,
    SecondFactorNeeded,
)


@asynccontextmanager
async def transaction(process: Process) -> AsyncIterator[AsyncConnection]:
    """A connection with one transaction, committed at the end of the block.

    Raises:
        CentralUnavailableError: The database can't be reached.
    """
    with translated_outages():
        async with process.pool.connection() as connection:
            yield connection


async def sign_in(
    process: Process,
    *,
    username: str,
    password: str,
    origin: Origin,
    old_token: str | None,
    now: datetime,
) -> LoggedIn:
    """Open a session. A refusal is committed before it is told, so that it is counted.

    Raises:
        LoginRefusedError: Wrong name or password, or the account is switched off.
        LoginDelayedError: Too many failures; the password was not looked at.
        FirstPasswordExpiredError: A first password that nobody changed in time.
        SecondFactorNeededError: The password was right; a code comes next.
    """
    async with transaction(process) as connection:
        identity = IdentityService(connection, policy=process.session_policy)
        outcome = await identity.log_in(
            username=username, password=password, origin=origin, old_token=old_token, now=now
        )
    return opened_session(outcome, now=now)


def opened_session(outcome: LoginOutcome, *, now: datetime) -> LoggedIn:
    """The session that a login opened.

    Raises:
        LoginRefusedError: Wrong name or password, or the account is switched off.
        LoginDelayedError: Too many failures; the password was not looked at.
        FirstPasswordExpiredError: A first password that nobody changed in time.
        SecondFactorNeededError: The password was right; a code comes next.
    """
    if isinstance(outcome, LoggedIn):
        return outcome
    if isinstance(outcome, LoginDelayed):
        raise LoginDelayedError(wait_s=math.ceil((outcome.until_at - now).total_seconds()))
    if isinstance(outcome, FirstPasswordExpired):
        raise FirstPasswordExpiredError
    if isinstance(outcome, SecondFactorNeeded):
        raise SecondFactorNeededError(
            token=outcome.token,
            expires_at=outcome.expires_at,
            has_security_key=outcome.has_security_key,
        )
    raise LoginRefusedError
