# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of sessions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.identity.repository import UserRow, user_of_row
from central.identity.types import NewSession, Proof, SessionOverview, User

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _SessionRow(UserRow):
    last_used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnSessionRow:
    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    proof: str
    client: str | None
    browser: str | None
    is_own: bool

    def value(self) -> SessionOverview:
        """The row as its value."""
        return SessionOverview(
            id=self.id,
            created_at=self.created_at,
            last_used_at=self.last_used_at,
            expires_at=self.expires_at,
            proof=Proof(self.proof),
            client=self.client,
            browser=self.browser,
            is_own=self.is_own,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that is still good."""

    user: User
    last_used_at: datetime


class SessionRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_session(self, session: NewSession, *, sessions_max: int) -> None:
        """Open a session; the oldest ones of the user end where there are too many."""
        await self._connection.execute(
            QUERIES["insert_session"],
            {
                "token_hash": session.token_hash,
                "user_id": session.user_id,
                "now": session.opened_at,
                "expires_at": session.expires_at,
                "proof": session.proof.value,
                "client": session.origin.client,
                "browser": session.origin.browser,
            },
        )
        await self._connection.execute(
            QUERIES["delete_oldest_sessions"],
            {"user_id": session.user_id, "added": session.token_hash, "kept": sessions_max},
        )

    async def session(
        self, token_hash: bytes, *, now: datetime, used_after: datetime
    ) -> OpenSession | None:
        """A session that is still good."""
        async with self._connection.cursor(row_factory=class_row(_SessionRow)) as cursor:
            await cursor.execute(
                QUERIES["select_session_user"],
                {"token_hash": token_hash, "now": now, "used_after": used_after},
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        return OpenSession(user=user_of_row(row), last_used_at=row.last_used_at)

    async def touch_session(self, token_hash: bytes, *, now: datetime) -> None:
        """Record that a session was used."""
        await self._connection.execute(
            QUERIES["touch_session"], {"token_hash": token_hash, "now": now}
        )

    async def end_session(self, token_hash: bytes) -> Proof | None:
        """End a session and tell what had opened it; ``None`` when there was none."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["delete_session"], {"token_hash": token_hash})
            proof: str | None = await cursor.fetchone()
        return None if proof is None else Proof(proof)

    async def end_sessions_of(self, user_id: int) -> None:
        """End every session and every waiting login of a user."""
        await self._connection.execute(QUERIES["delete_sessions_of_user"], {"user_id": user_id})

    async def sessions_of(
        self,
        user_id: int,
        *,
        token_hash: bytes,
        now: datetime,
        used_after: datetime,
        limit: int,
    ) -> tuple[SessionOverview, ...]:
        """A user's own sessions, the one used last first."""
        async with self._connection.cursor(row_factory=class_row(_OwnSessionRow)) as cursor:
            await cursor.execute(
                QUERIES["select_sessions_of_user"],
                {
                    "user_id": user_id,
                    "token_hash": token_hash,
                    "now": now,
                    "used_after": used_after,
                    "rows_max": limit,
                },
            )
            return tuple(row.value() for row in await cursor.fetchall())

    async def end_one_session(self, session_id: UUID, *, user_id: int) -> bool:
        """End one of a user's own sessions; ``False`` when it is none of them."""
        cursor = await self._connection.execute(
            QUERIES["delete_session_of_user"], {"session_id": session_id, "user_id": user_id}
        )
        return cursor.rowcount == 1

    async def end_other_sessions(self, user_id: int, *, token_hash: bytes) -> int:
        """End every session of a user but one; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["delete_other_sessions"], {"user_id": user_id, "token_hash": token_hash}
        )
        return cursor.rowcount

    async def remove_dead_sessions(self, *, now: datetime, used_after: datetime) -> int:
        """Remove sessions that can't be used any more; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["delete_dead_sessions"], {"now": now, "used_after": used_after}
        )
        return cursor.rowcount

    async def put_challenge(self, token_hash: bytes, challenge: bytes) -> None:
        """Keep what a security key that is being added must sign."""
        await self._connection.execute(
            QUERIES["put_session_challenge"], {"token_hash": token_hash, "challenge": challenge}
        )

    async def take_challenge(self, token_hash: bytes) -> bytes | None:
        """Take what was to be signed, so that it is signed once; ``None`` when nothing was."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["take_session_challenge"], {"token_hash": token_hash})
            return await cursor.fetchone()
