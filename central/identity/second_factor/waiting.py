# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logins between a right password and a session, whatever the second proof is."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.identity.login_steps import LoginStepRepository, StepUser
from central.identity.repository import IdentityRepository
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.types import FactorOverview, LoginStepEnded, StepOutcome
from central.identity.service import IdentityService, token_hash
from central.identity.sessions.repository import SessionRepository
from central.identity.types import (
    Account,
    LoginDelayed,
    LoginRefused,
    Origin,
    Proof,
    SessionPolicy,
    User,
)

STEP_FAILURES_MAX: Final = 5
"""Wrong proofs until the password is asked for again; the account's own delay comes on top."""

Prove = Callable[[User], Awaitable[Proof | None]]
"""Looks at the second proof of a user; ``None`` when it proves nothing."""


class WaitingLogins:
    """Logins whose password was right, in the caller's transaction.

    The caller commits after a refusal, too: the failure must be counted.
    """

    def __init__(self, connection: AsyncConnection, *, policy: SessionPolicy | None = None) -> None:
        self._accounts = IdentityRepository(connection)
        self._sessions = SessionRepository(connection)
        self._factors = FactorRepository(connection)
        self._rows = LoginStepRepository(connection)
        self._identity = IdentityService(connection, policy=policy)

    async def user(self, token: str, *, now: datetime) -> StepUser | None:
        """Whose login waits under this token; ``None`` when none does."""
        return await self._rows.step_user(
            token_hash(token), now=now, failures_max=STEP_FAILURES_MAX
        )

    async def ways(self, token: str, *, now: datetime) -> FactorOverview | None:
        """What the user may prove it with; ``None`` when no login waits under this token."""
        user = await self.user(token, now=now)
        return None if user is None else await self._factors.overview(user.id)

    async def finish(
        self, token: str, prove: Prove, *, origin: Origin, old_token: str | None, now: datetime
    ) -> StepOutcome:
        """Look at the second proof and open the session.

        Args:
            token: What the right password gave.
            prove: Looks at the proof; asked only when nobody has to wait.
            origin: Where the login comes from, which has delays of its own.
            old_token: Session that the browser holds already; the new one ends it.
            now: Aware time.
        """
        waits_until = await self._identity.client_waits_until(origin, now=now)
        if waits_until is not None:
            return LoginDelayed(until_at=waits_until)
        account = await self._locked_account(token, now=now)
        if account is None:
            return LoginStepEnded()
        if account.login_allowed_at is not None and now < account.login_allowed_at:
            return LoginDelayed(until_at=account.login_allowed_at)
        proof = await prove(account.user)
        if proof is None:
            await self._rows.count_step_failure(token_hash(token))
            await self._identity.record_failure(account, origin=origin, now=now)
            return LoginRefused()
        await self._rows.end_step(token_hash(token))
        await self._accounts.record_success(account.user.id, newer_hash=None, now=now)
        if old_token is not None:
            await self._sessions.end_session(token_hash(old_token))
        return await self._identity.open_session(account.user, proof=proof, origin=origin, now=now)

    async def _locked_account(self, token: str, *, now: datetime) -> Account | None:
        """Whose login waits, if it still does once nobody else tries the same."""
        user = await self.user(token, now=now)
        account = await self._accounts.locked_account(user.username) if user else None
        if account is None or not account.enabled or await self.user(token, now=now) is None:
            return None
        return account
