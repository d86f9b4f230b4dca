# SPDX-License-Identifier: AGPL-3.0-or-later
"""What everybody does with the own second factor; each change asks for the password again."""

from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.identity.errors import SecondFactorOffError
from central.identity.second_factor.checking import CodeCheck
from central.identity.second_factor.codes import new_secret, plain, secret_text, setup_uri
from central.identity.second_factor.recovery import (
    drop_recovery_codes_without_factor,
    replaced_recovery_codes,
)
from central.identity.second_factor.repository import FactorRepository
from central.identity.second_factor.sealing import SecretSeal
from central.identity.second_factor.types import (
    FactorFault,
    FactorOverview,
    FactorRefused,
    FactorRemoved,
    RecoveryCodes,
    Refusal,
    Reproof,
    Setup,
)
from central.identity.service import IdentityService, token_hash
from central.identity.sessions.repository import SessionRepository
from central.identity.types import LoginDelayed, LoginRefused, Origin, SessionPolicy, User

SETUP_LASTS: Final = timedelta(minutes=15)
"""How long a secret waits for its first code. Lower: slow typists begin again."""

USER_SUBJECT: Final = "user"


class OwnSecondFactor:
    """A user's own second factor, in the caller's transaction.

    The caller commits after a refusal, too: a wrong password or code must be counted.

    Args:
        user: Whose factor it is; whoever signed in may do all of this, whatever the role.
        token: The session that asks.
        actor: The user, for the audit log.
        seal: Seals secrets of apps; ``None`` where the api has no key for them.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        user: User,
        token: str,
        actor: Actor,
        seal: SecretSeal | None,
        policy: SessionPolicy | None = None,
    ) -> None:
        self._sessions = SessionRepository(connection)
        self._rows = FactorRepository(connection)
        self._codes = CodeCheck(self._rows, seal)
        self._identity = IdentityService(connection, policy=policy)
        self._audit = AuditService(connection)
        self._user = user
        self._token_hash = token_hash(token)
        self._actor = actor
        self._seal = seal

    async def overview(self) -> FactorOverview:
        """What the user has besides the password."""
        return await self._rows.overview(self._user.id)

    async def begin(self, password: str, *, origin: Origin, now: datetime) -> Setup | Refusal:
        """Make a secret for an app; it counts once ``confirm`` saw a code of it.

        Raises:
            SecondFactorOffError: The api has no key for secrets of apps.
        """
        if self._seal is None:
            raise SecondFactorOffError
        if (await self.overview()).app_added_at is not None:
            return FactorRefused(fault=FactorFault.THERE_ALREADY)
        account = await self._identity.check_password(self._user, password, origin=origin, now=now)
        if isinstance(account, LoginRefused | LoginDelayed):
            return account
        secret = new_secret()
        sealed = self._seal.seal(secret, user_id=self._user.id)
        if not await self._rows.put_secret(self._user.id, sealed, now=now):
            return FactorRefused(fault=FactorFault.THERE_ALREADY)
        return self._setup(secret)

    async def pending(self, *, now: datetime) -> Setup | None:
        """The secret that waits for its first code; ``None`` when none does."""
        kept = await self._rows.locked_secret(self._user.id)
        if kept is None or kept.confirmed_at is not None or self._seal is None:
            return None
        secret = self._seal.open(kept.sealed, user_id=self._user.id)
        if secret is None or now - kept.created_at > SETUP_LASTS:
            return None
        return self._setup(secret)

    async def confirm(self, code: str, *, now: datetime) -> RecoveryCodes | FactorRefused:
        """Ask for codes of the app from now on, if it makes the right ones.

        Every other session of the user ends: whoever held one had only the password.
        """
        kept = await self._rows.locked_secret(self._user.id)
        if kept is None or kept.confirmed_at is not None or now - kept.created_at > SETUP_LASTS:
            return FactorRefused(fault=FactorFault.NOT_BEGUN)
        step = self._codes.step_of(kept, plain(code), user_id=self._user.id, now=now)
        if step is None:
            return FactorRefused(fault=FactorFault.WRONG_CODE)
        await self._rows.confirm_secret(self._user.id, step=step, now=now)
        await self._sessions.end_other_sessions(self._user.id, token_hash=self._token_hash)
        await self._record("second_factor_added", now=now)
        return await replaced_recovery_codes(self._rows, self._user.id, now=now)

    async def new_recovery_codes(
        self, reproof: Reproof, *, origin: Origin, now: datetime
    ) -> RecoveryCodes | Refusal:
        """Replace all recovery codes."""
        refusal = await self._refusal_of(reproof, origin=origin, now=now)
        if refusal is not None:
            return refusal
        await self._record("recovery_codes_made", now=now)
        return await replaced_recovery_codes(self._rows, self._user.id, now=now)

    async def remove(
        self, reproof: Reproof, *, origin: Origin, now: datetime
    ) -> FactorRemoved | Refusal:
        """Forget the app; every other session ends.

        Recovery codes stay for whoever has a security key besides.
        """
        if (await self.overview()).app_added_at is None:
            return FactorRefused(fault=FactorFault.NOT_THERE)
        refusal = await self._refusal_of(reproof, origin=origin, now=now)
        if refusal is not None:
            return refusal
        await self._rows.remove_app(self._user.id)
        await drop_recovery_codes_without_factor(self._rows, self._user.id, now=now)
        await self._sessions.end_other_sessions(self._user.id, token_hash=self._token_hash)
        await self._record("second_factor_removed", now=now)
        return FactorRemoved()

    async def _refusal_of(
        self, reproof: Reproof, *, origin: Origin, now: datetime
    ) -> Refusal | None:
        """Why whoever asks did not prove to be the user; ``None`` when the user did."""
        if not (await self.overview()).has_any:
            return FactorRefused(fault=FactorFault.NOT_THERE)
        account = await self._identity.check_password(
            self._user, reproof.password, origin=origin, now=now
        )
        if isinstance(account, LoginRefused | LoginDelayed):
            return account
        if await self._codes.proof_of(self._user.id, reproof.code, now=now) is None:
            await self._identity.record_failure(account, origin=origin, now=now)
            return FactorRefused(fault=FactorFault.WRONG_CODE)
        return None

    def _setup(self, secret: bytes) -> Setup:
        return Setup(
            secret=secret_text(secret), uri=setup_uri(secret, username=self._user.username)
        )

    async def _record(self, action: str, *, now: datetime) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=USER_SUBJECT,
                subject_id=self._user.username,
                detail={},
            )
        )
