# SPDX-License-Identifier: AGPL-3.0-or-later
"""The step between a right password and a session."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from central.identity.login_steps import LoginStepRepository
from central.identity.repository import IdentityRepository
from central.identity.second_factor.checking import CodeCheck
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.types import LoginStepEnded, StepOutcome
from central.identity.service import IdentityService, token_hash
from central.identity.types import Account, LoginDelayed, LoginRefused, Origin, SessionPolicy

STEP_FAILURES_MAX: Final = 5
"""Wrong codes until the password is asked for again; the account's own delay comes on top."""


class LoginSteps:
    """Logins whose password was right, in the caller's transaction.

    The caller commits after a refusal, too: the failure must be counted.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        seal: SecretSeal | None,
        policy: SessionPolicy | None = None,
    ) -> None:
        self._accounts = IdentityRepository(connection)
        self._rows = LoginStepRepository(connection)
        self._codes = CodeCheck(FactorRepository(connection), seal)
        self._identity = IdentityService(connection, policy=policy)

    async def is_open(self, token: str, *, now: datetime) -> bool:
        """Whether a code is waited for under this token."""
        return await self._username(token, now=now) is not None

    async def finish(
        self, token: str, code: str, *, origin: Origin, old_token: str | None, now: datetime
    ) -> StepOutcome:
        """Take a code and open the session.

        Args:
            token: What the right password gave.
            code: Of an app, or a recovery code, as it was typed.
            origin: Where the login comes from, which has delays of its own.
            old_token: Session that the browser holds already; the new one ends it.
            now: Aware time.

        Raises:
            SecondFactorOffError: The api has no key for secrets of apps, or another one.
        """
        waits_until = await self._identity.client_waits_until(origin, now=now)
        if waits_until is not None:
            return LoginDelayed(until_at=waits_until)
        account = await self._locked_account(token, now=now)
        if account is None:
            return LoginStepEnded()
        if account.login_allowed_at is not None and now < account.login_allowed_at:
            return LoginDelayed(until_at=account.login_allowed_at)
        proof = await self._codes.proof_of(account.user.id, code, now=now)
        if proof is None:
            await self._rows.count_step_failure(token_hash(token))
            await self._identity.record_failure(account, origin=origin, now=now)
            return LoginRefused()
        await self._rows.end_step(token_hash(token))
        await self._accounts.record_success(account.user.id, newer_hash=None, now=now)
        if old_token is not None:
            await self._accounts.end_session(token_hash(old_token))
        return await self._identity.open_session(account.user, proof=proof, origin=origin, now=now)

    async def _locked_account(self, token: str, *, now: datetime) -> Account | None:
        """Whose login waits, if it still does once nobody else tries the same."""
        username = await self._username(token, now=now)
        account = await self._accounts.locked_account(username) if username else None
        if account is None or not account.enabled or not await self.is_open(token, now=now):
            return None
        return account

    async def _username(self, token: str, *, now: datetime) -> str | None:
        return await self._rows.step_username(
            token_hash(token), now=now, failures_max=STEP_FAILURES_MAX
        )
