# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in by an outside provider: a login goes away, comes back once, and opens a session."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, ActorKind, AuditEntry, Outcome
from central.identity.outside.errors import OutsideRefusedError
from central.identity.outside.repository import OutsideRepository
from central.identity.outside.types import (
    BegunLogin,
    Departure,
    OutsideFault,
    OutsidePerson,
    Strength,
)
from central.identity.repository import IdentityRepository
from central.identity.service import IdentityService, token_hash
from central.identity.types import Account, LoggedIn, Origin, Proof, SessionPolicy

SECRET_BYTES: Final = 32
CODE_VERIFIER_BYTES: Final = 48
AWAY_MAX: Final = timedelta(minutes=10)
"""How long somebody may take at the provider. Higher: slow typists come back in time."""

ON_THEIR_WAY_MAX: Final = 10_000
"""Most logins that have not come back; beyond it new ones are told to try again later."""

USER_SUBJECT: Final = "user"
NOBODY: Final = "unknown"


class OutsideLogins:
    """Logins by a provider, in the caller's transaction.

    The caller commits after a refusal, too: it is written down.
    """

    def __init__(self, connection: AsyncConnection, *, policy: SessionPolicy | None = None) -> None:
        self._rows = OutsideRepository(connection)
        self._accounts = IdentityRepository(connection)
        self._identity = IdentityService(connection, policy=policy)
        self._audit = AuditService(connection)

    async def begin(
        self, *, next_path: str, linking_user_id: int | None = None, now: datetime
    ) -> Departure:
        """Remember a login that goes to the provider.

        Args:
            next_path: Page to go to afterwards.
            linking_user_id: User whose account is to be linked; ``None`` to sign in.
            now: Aware time.

        Raises:
            OutsideRefusedError: Too many are on their way.
        """
        await self._rows.forget_expired(now=now)
        if await self._rows.on_their_way() >= ON_THEIR_WAY_MAX:
            raise OutsideRefusedError(OutsideFault.TOO_OFTEN, "too many on their way")
        begun = BegunLogin(
            state=secrets.token_urlsafe(SECRET_BYTES),
            nonce=secrets.token_urlsafe(SECRET_BYTES),
            code_verifier=secrets.token_urlsafe(CODE_VERIFIER_BYTES),
            next_path=next_path,
            linking_user_id=linking_user_id,
        )
        token = secrets.token_urlsafe(SECRET_BYTES)
        await self._rows.remember(token_hash(token), begun, expires_at=now + AWAY_MAX)
        return Departure(login=begun, token=token)

    async def take(self, token: str, *, now: datetime) -> BegunLogin | None:
        """The login that a browser brings back, once; ``None`` when there is none."""
        return await self._rows.take(token_hash(token), now=now)

    async def sign_in(
        self, person: OutsidePerson, *, origin: Origin, old_token: str | None, now: datetime
    ) -> LoggedIn | OutsideFault:
        """Open a session for whoever is linked to the outside account.

        Args:
            person: Whom the provider named.
            origin: Where the login comes from.
            old_token: Session that the browser holds already; a new login ends it.
            now: Aware time.
        """
        found = await self._rows.user_of(person)
        account = await self._accounts.locked_account(found.username) if found else None
        if found is None or account is None:
            return await self.refuse(OutsideFault.NOT_LINKED, origin=origin, now=now)
        if not account.enabled:
            return await self.refuse(OutsideFault.SHUT_OUT, account=account, origin=origin, now=now)
        needs_second = found.needs_second_factor or account.has_second_factor
        if needs_second and person.strength is not Strength.TWO_FACTORS:
            return await self.refuse(
                OutsideFault.FACTOR_NEEDED, account=account, origin=origin, now=now
            )
        await self._accounts.record_success(account.user.id, newer_hash=None, now=now)
        if old_token is not None:
            await self._identity.log_out(old_token)
        proof = (
            Proof.OUTSIDE_TWO_FACTORS if person.strength is Strength.TWO_FACTORS else Proof.OUTSIDE
        )
        return await self._identity.open_session(account.user, proof=proof, origin=origin, now=now)

    async def refuse(
        self,
        fault: OutsideFault,
        *,
        account: Account | None = None,
        origin: Origin,
        now: datetime,
    ) -> OutsideFault:
        """Write down that somebody did not come in; never what the provider calls them."""
        name = account.user.username if account is not None else NOBODY
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=Actor(
                    kind=ActorKind.USER,
                    name=name,
                    role=account.user.role if account is not None else None,
                    client_address=origin.client,
                ),
                action="outside_login_refused",
                outcome=Outcome.REFUSED,
                subject_kind=USER_SUBJECT,
                subject_id=name,
                detail={"why": fault.value},
            )
        )
        return fault
