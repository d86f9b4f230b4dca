# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of outside accounts and of logins on their way."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.identity.outside.types import BegunLogin, OutsideLink, OutsidePerson

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideUser:
    """Whose account an outside account opens."""

    username: str
    needs_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _BegunRow:
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    next_path: str
    linking_user_id: int | None
    is_fresh: bool


class OutsideRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def forget_expired(self, *, now: datetime) -> None:
        """Forget logins that never came back."""
        await self._connection.execute(QUERIES["delete_expired_outside_logins"], {"now": now})

    async def on_their_way(self) -> int:
        """How many logins have not come back yet."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_outside_logins"])
            return int(await cursor.fetchone() or 0)

    async def remember(self, token_hash: bytes, begun: BegunLogin, *, expires_at: datetime) -> None:
        """Remember a login that goes to the provider."""
        await self._connection.execute(
            QUERIES["insert_outside_login"],
            {
                "token_hash": token_hash,
                "state": begun.state,
                "nonce": begun.nonce,
                "code_verifier": begun.code_verifier,
                "next_path": begun.next_path,
                "linking_user_id": begun.linking_user_id,
                "expires_at": expires_at,
            },
        )

    async def take(self, token_hash: bytes, *, now: datetime) -> BegunLogin | None:
        """Take a login that came back, once; ``None`` when it is unknown or too old."""
        async with self._connection.cursor(row_factory=class_row(_BegunRow)) as cursor:
            await cursor.execute(
                QUERIES["take_outside_login"], {"token_hash": token_hash, "now": now}
            )
            row = await cursor.fetchone()
        if row is None or not row.is_fresh:
            return None
        return BegunLogin(
            state=row.state,
            nonce=row.nonce,
            code_verifier=row.code_verifier,
            next_path=row.next_path,
            linking_user_id=row.linking_user_id,
        )

    async def user_of(self, person: OutsidePerson) -> OutsideUser | None:
        """Whose account an outside account opens; ``None`` for nobody's."""
        async with self._connection.cursor(row_factory=class_row(OutsideUser)) as cursor:
            await cursor.execute(
                QUERIES["select_outside_user"],
                {"issuer": person.issuer, "subject": person.subject},
            )
            return await cursor.fetchone()

    async def link(self, user_id: int, *, issuer: str, subject: str, now: datetime) -> bool:
        """Link an outside account; ``False`` when it or the user is linked already."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_outside_identity"],
                {"issuer": issuer, "subject": subject, "user_id": user_id, "now": now},
            )
            return await cursor.fetchone() is not None

    async def link_of(self, user_id: int, *, issuer: str) -> OutsideLink | None:
        """The outside account of one provider that opens a user's account."""
        async with self._connection.cursor(row_factory=class_row(OutsideLink)) as cursor:
            await cursor.execute(
                QUERIES["select_outside_link"], {"user_id": user_id, "issuer": issuer}
            )
            return await cursor.fetchone()

    async def unlink(self, user_id: int) -> int:
        """Take every outside account from a user and end what it opened; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["delete_outside_identities"], {"user_id": user_id}
        )
        await self._connection.execute(QUERIES["end_outside_sessions"], {"user_id": user_id})
        return cursor.rowcount

    async def user_id(self, username: str) -> int | None:
        """The user of a name; ``None`` for nobody."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_user_id"], {"username": username})
            return await cursor.fetchone()
