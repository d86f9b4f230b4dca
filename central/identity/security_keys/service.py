# SPDX-License-Identifier: AGPL-3.0-or-later
"""What everybody does with the own security keys; adding and taking away ask for the password."""

from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.identity.second_factor.recovery import (
    drop_recovery_codes_without_factor,
    replaced_recovery_codes,
)
from central.identity.second_factor.repository import FactorRepository
from central.identity.security_keys.ceremonies import KeyCeremonies
from central.identity.security_keys.challenges import is_fresh, new_challenge
from central.identity.security_keys.repository import KEYS_MAX, KeyRepository
from central.identity.security_keys.types import (
    KeyAdded,
    KeyChanged,
    KeyFault,
    KeyOverview,
    KeyQuestion,
    KeyRefusal,
    KeyRefused,
    KeySite,
)
from central.identity.service import IdentityService, token_hash
from central.identity.sessions.repository import SessionRepository
from central.identity.types import LoginDelayed, LoginRefused, Origin, SessionPolicy, User

NAME_LENGTH_MAX: Final = 60
USER_SUBJECT: Final = "user"


class OwnSecurityKeys:
    """A user's own keys, in the caller's transaction.

    The caller commits after a refusal, too: a wrong password must be counted.

    Args:
        user: Whose keys they are; whoever signed in may do all of this, whatever the role.
        token: The session that asks.
        actor: The user, for the audit log.
        site: What keys are bound to; ``None`` where none can be added.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        user: User,
        token: str,
        actor: Actor,
        site: KeySite | None,
        policy: SessionPolicy | None = None,
    ) -> None:
        self._rows = KeyRepository(connection)
        self._factors = FactorRepository(connection)
        self._sessions = SessionRepository(connection)
        self._identity = IdentityService(connection, policy=policy)
        self._audit = AuditService(connection)
        self._ceremonies = KeyCeremonies(site) if site is not None else None
        self._user = user
        self._token_hash = token_hash(token)
        self._actor = actor

    async def keys(self) -> tuple[KeyOverview, ...]:
        """The user's keys, oldest first."""
        return await self._rows.keys(self._user.id)

    async def begin(
        self, name: str, password: str, *, origin: Origin, now: datetime
    ) -> KeyQuestion | KeyRefusal:
        """What the browser is to ask a new key; the key counts once ``add`` saw its answer.

        Args:
            name: What the user will know the key by.
            password: As it was typed.
            origin: Where the request comes from.
            now: Aware time.
        """
        if self._ceremonies is None:
            return KeyRefused(fault=KeyFault.OFF)
        if not _is_name(name):
            return KeyRefused(fault=KeyFault.NAME)
        known_ids = await self._rows.credential_ids(self._user.id)
        if len(known_ids) >= KEYS_MAX:
            return KeyRefused(fault=KeyFault.TOO_MANY)
        account = await self._identity.check_password(self._user, password, origin=origin, now=now)
        if isinstance(account, LoginRefused | LoginDelayed):
            return account
        challenge = new_challenge(now=now)
        await self._sessions.put_challenge(self._token_hash, challenge)
        options = self._ceremonies.creation(
            handle=await self._rows.handle(self._user.id),
            username=self._user.username,
            known_ids=known_ids,
            challenge=challenge,
        )
        return KeyQuestion(options=options)

    async def add(self, name: str, answer: str, *, now: datetime) -> KeyAdded | KeyRefused:
        """Keep a key that answered; every other session of the user ends.

        Whoever has no recovery codes gets some, for the day on which the key is lost.
        """
        challenge = await self._sessions.take_challenge(self._token_hash)
        if self._ceremonies is None or challenge is None or not is_fresh(challenge, now=now):
            return KeyRefused(fault=KeyFault.NOT_BEGUN)
        if not _is_name(name):
            return KeyRefused(fault=KeyFault.NAME)
        credential = self._ceremonies.created(answer, challenge=challenge)
        if credential is None:
            return KeyRefused(fault=KeyFault.NOT_PROVEN)
        key_id = await self._rows.add(self._user.id, credential, name=name.strip(), now=now)
        if key_id is None:  # somebody has it, and who is not told
            return KeyRefused(fault=KeyFault.NOT_PROVEN)
        await self._sessions.end_other_sessions(self._user.id, token_hash=self._token_hash)
        await self._record("security_key_added", key_id, now=now)
        if (await self._factors.overview(self._user.id)).recovery_codes_left > 0:
            return KeyAdded(codes=None)
        codes = await replaced_recovery_codes(self._factors, self._user.id, now=now)
        return KeyAdded(codes=codes)

    async def rename(self, key_id: UUID, name: str, *, now: datetime) -> KeyChanged | KeyRefused:
        """Call one of the user's keys something else."""
        if not _is_name(name):
            return KeyRefused(fault=KeyFault.NAME)
        if not await self._rows.rename(self._user.id, key_id, name=name.strip()):
            return KeyRefused(fault=KeyFault.NOT_THERE)
        await self._record("security_key_renamed", key_id, now=now)
        return KeyChanged()

    async def remove(
        self, key_id: UUID, password: str, *, origin: Origin, now: datetime
    ) -> KeyChanged | KeyRefusal:
        """Forget one of the user's keys; every other session ends."""
        if key_id not in {each.id for each in await self.keys()}:
            return KeyRefused(fault=KeyFault.NOT_THERE)
        account = await self._identity.check_password(self._user, password, origin=origin, now=now)
        if isinstance(account, LoginRefused | LoginDelayed):
            return account
        await self._rows.remove(self._user.id, key_id)
        await drop_recovery_codes_without_factor(self._factors, self._user.id, now=now)
        await self._sessions.end_other_sessions(self._user.id, token_hash=self._token_hash)
        await self._record("security_key_removed", key_id, now=now)
        return KeyChanged()

    async def _record(self, action: str, key_id: UUID, *, now: datetime) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=USER_SUBJECT,
                subject_id=self._user.username,
                detail={"key": str(key_id)},
            )
        )


def _is_name(name: str) -> bool:
    """Whether something was typed that fits into its row."""
    return 1 <= len(name.strip()) <= NAME_LENGTH_MAX and name.isprintable()
