# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of security keys."""

from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.identity.security_keys.types import Credential, KeyOverview, KnownKey

QUERIES: Final = QueryFile.beside(__file__)
KEYS_MAX: Final = 10
"""Keys of one user. Higher: longer questions to browsers; lower: no spare key."""


class KeyRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keys(self, user_id: int) -> tuple[KeyOverview, ...]:
        """A user's keys, oldest first."""
        async with self._connection.cursor(row_factory=class_row(KeyOverview)) as cursor:
            await cursor.execute(QUERIES["select_keys"], _of(user_id))
            return tuple(await cursor.fetchall())

    async def credential_ids(self, user_id: int) -> tuple[bytes, ...]:
        """How a user's keys are called by browsers."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_credential_ids"], _of(user_id))
            return tuple(await cursor.fetchall())

    async def handle(self, user_id: int) -> UUID:
        """Name of a user towards keys."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_handle"], {"user_id": user_id})
            (found,) = await cursor.fetchall()
        return UUID(str(found))

    async def add(
        self, user_id: int, credential: Credential, *, name: str, now: datetime
    ) -> UUID | None:
        """Keep a new key and return its id; ``None`` when it is somebody's already."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_key"],
                {
                    "user_id": user_id,
                    "credential_id": credential.credential_id,
                    "public_key": credential.public_key,
                    "sign_count": credential.sign_count,
                    "name": name,
                    "now": now,
                },
            )
            return await cursor.fetchone()

    async def locked_key(self, user_id: int, credential_id: bytes) -> KnownKey | None:
        """One of a user's keys; others wait for it until the transaction ends."""
        async with self._connection.cursor(row_factory=class_row(KnownKey)) as cursor:
            await cursor.execute(
                QUERIES["lock_key"], {"user_id": user_id, "credential_id": credential_id}
            )
            return await cursor.fetchone()

    async def use(self, key_id: UUID, *, sign_count: int, now: datetime) -> None:
        """Remember a key's counter and that it opened a session."""
        await self._changed("use_key", key_id=key_id, sign_count=sign_count, now=now)

    async def rename(self, user_id: int, key_id: UUID, *, name: str) -> bool:
        """Call a key something else; ``False`` when it is none of the user's."""
        return await self._changed("rename_key", user_id=user_id, key_id=key_id, name=name)

    async def remove(self, user_id: int, key_id: UUID) -> bool:
        """Forget a key; ``False`` when it is none of the user's."""
        return await self._changed("delete_key", user_id=user_id, key_id=key_id)

    async def _changed(self, query: str, **values: object) -> bool:
        """Whether a statement changed any row."""
        cursor = await self._connection.execute(QUERIES[query], values)
        return cursor.rowcount > 0


def _of(user_id: int) -> dict[str, int]:
    return {"user_id": user_id, "rows_max": KEYS_MAX}
