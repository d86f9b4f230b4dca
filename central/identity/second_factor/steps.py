# SPDX-License-Identifier: AGPL-3.0-or-later
"""The step between a right password and a session, taken with a code."""

from datetime import datetime

from psycopg import AsyncConnection

from central.identity.second_factor.checking import CodeCheck
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.types import StepOutcome
from central.identity.second_factor.waiting import WaitingLogins
from central.identity.types import Origin, Proof, SessionPolicy, User


class LoginSteps:
    """Logins whose password was right and whose code comes, in the caller's transaction.

    The caller commits after a refusal, too: the failure must be counted.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        seal: SecretSeal | None,
        policy: SessionPolicy | None = None,
    ) -> None:
        self._waiting = WaitingLogins(connection, policy=policy)
        self._codes = CodeCheck(FactorRepository(connection), seal)

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

        async def prove(user: User) -> Proof | None:
            return await self._codes.proof_of(user.id, code, now=now)

        return await self._waiting.finish(token, prove, origin=origin, old_token=old_token, now=now)
