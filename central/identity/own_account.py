# SPDX-License-Identifier: AGPL-3.0-or-later
"""What everybody does with the own account: another password, and a look at the own sessions."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.errors import SessionInvalidError
from central.identity.passwords import PasswordFault, fault_of, hashed, read_own_words
from central.identity.repository import IdentityRepository
from central.identity.service import IdentityService, token_hash
from central.identity.sessions.repository import SessionRepository
from central.identity.types import (
    Account,
    LoggedIn,
    LoginDelayed,
    LoginRefused,
    Origin,
    Proof,
    SessionOverview,
    SessionPolicy,
    User,
)

USER_SUBJECT: Final = "user"
YOUNG: Final = timedelta(minutes=10)
"""How long after signing in sessions are ended without the password again. Higher: less typing,
and whoever finds a page open has longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRefused:
    """The new password may not be chosen."""

    fault: PasswordFault


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """What somebody typed to get another password."""

    old: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordNeeded:
    """The session is old: its user types the password again, lest somebody else does this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsEnded:
    """They are over."""


EndOutcome = SessionsEnded | PasswordNeeded | LoginRefused | LoginDelayed

ChangeOutcome = LoggedIn | LoginRefused | LoginDelayed | PasswordRefused
"""A value and no exception: a wrong old password must be committed to be counted."""


class OwnAccount:
    """A user's own account, in the caller's transaction.

    Args:
        user: Whose account it is; whoever signed in may do all of this, whatever the role.
        token: The session that asks.
        actor: The user, for the audit log.
        words_file: The authority's own words, which no password may be made of; ``None`` for none.
    """

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        user: User,
        token: str,
        actor: Actor,
        policy: SessionPolicy | None = None,
        words_file: Path | None = None,
    ) -> None:
        self._words_file = words_file
        self._rows = IdentityRepository(connection)
        self._sessions = SessionRepository(connection)
        self._policy = policy or SessionPolicy()
        self._identity = IdentityService(connection, policy=self._policy)
        self._audit = AuditService(connection)
        self._user = user
        self._token_hash = token_hash(token)
        self._actor = actor

    async def sessions(self, *, now: datetime) -> tuple[SessionOverview, ...]:
        """The user's sessions that are still good, the one used last first."""
        return await self._sessions.sessions_of(
            self._user.id,
            token_hash=self._token_hash,
            now=now,
            used_after=now - self._policy.idle,
            limit=self._policy.sessions_max,
        )

    async def end_session(
        self, session_id: UUID, *, password: str = "", origin: Origin, now: datetime
    ) -> EndOutcome:
        """End one of the user's sessions.

        Args:
            session_id: Which one.
            password: As it was typed; an old session needs it.
            origin: Where the request comes from.
            now: Aware time.

        Raises:
            SessionInvalidError: It is none of the user's own.
        """
        sessions = await self.sessions(now=now)
        if session_id not in {each.id for each in sessions}:
            raise SessionInvalidError
        refusal = await self._refusal_of(password, sessions, origin=origin, now=now)
        if refusal is not None:
            return refusal
        if not await self._sessions.end_one_session(session_id, user_id=self._user.id):
            raise SessionInvalidError
        await self._record("sessions_ended", now=now, detail={"sessions": 1})
        return SessionsEnded()

    async def end_other_sessions(
        self, *, password: str = "", origin: Origin, now: datetime
    ) -> EndOutcome:
        """End every session of the user but the one that asks; an old one needs the password."""
        sessions = await self.sessions(now=now)
        refusal = await self._refusal_of(password, sessions, origin=origin, now=now)
        if refusal is not None:
            return refusal
        ended = await self._sessions.end_other_sessions(self._user.id, token_hash=self._token_hash)
        await self._record("sessions_ended", now=now, detail={"sessions": ended})
        return SessionsEnded()

    async def change_password(
        self, change: PasswordChange, *, origin: Origin, now: datetime
    ) -> ChangeOutcome:
        """Replace the password; every session ends, and a new one with a new token begins.

        A wrong old password counts like a failed login, so that nobody guesses here instead.
        """
        account = await self.account_proven_by(change.old, origin=origin, now=now)
        if not isinstance(account, Account):
            return account
        fault = await asyncio.to_thread(self._fault_of, change)
        if fault is not None:
            return PasswordRefused(fault=fault)
        await self._rows.replace_password(
            username=self._user.username,
            password_hash=await asyncio.to_thread(hashed, change.new),
            first_password_until=None,
        )
        await self._sessions.end_sessions_of(self._user.id)
        await self._record("password_changed", now=now, detail={})
        return await self._identity.open_session(
            account.user, proof=Proof.PASSWORD, origin=origin, now=now
        )

    async def account_proven_by(
        self, password: str, *, origin: Origin, now: datetime
    ) -> Account | LoginRefused | LoginDelayed:
        """The own account, once its password was typed again; a wrong one counts as a login."""
        return await self._identity.check_password(self._user, password, origin=origin, now=now)

    async def _refusal_of(
        self,
        password: str,
        sessions: Collection[SessionOverview],
        *,
        origin: Origin,
        now: datetime,
    ) -> PasswordNeeded | LoginRefused | LoginDelayed | None:
        """Why an old session may not end others; ``None`` when it may, as a young one may."""
        if any(each.is_own and now - each.created_at <= YOUNG for each in sessions):
            return None
        if not password:
            return PasswordNeeded()
        account = await self.account_proven_by(password, origin=origin, now=now)
        return account if isinstance(account, LoginRefused | LoginDelayed) else None

    def _fault_of(self, change: PasswordChange) -> PasswordFault | None:
        """Why the new password may not be chosen."""
        if change.new == change.old:
            return PasswordFault.SAME_AS_BEFORE
        return fault_of(
            change.new,
            username=self._user.username,
            display_name=self._user.display_name,
            own_words=() if self._words_file is None else read_own_words(self._words_file),
        )

    async def _record(self, action: str, *, now: datetime, detail: dict[str, JsonValue]) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=USER_SUBJECT,
                subject_id=self._user.username,
                detail=detail,
            )
        )
