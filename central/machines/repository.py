# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of programs and their keys."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.scope import SiteScope
from central.identity.permissions import Permission
from central.machines.types import ClientOverview, KeyOverview, NewClient

QUERIES: Final = QueryFile.beside(__file__)
KEYS_SHOWN_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key with its program, as a request's key is compared with it."""

    id: int
    prefix: str
    secret_hash: bytes = field(repr=False)
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    client_id: int
    name: str
    permissions: list[str]
    site_ids: list[str] | None

    @property
    def granted(self) -> frozenset[Permission]:
        """What the program may do."""
        return _granted(self.permissions)

    @property
    def sites(self) -> SiteScope:
        """Where the program may look."""
        return SiteScope(site_ids=None if self.site_ids is None else frozenset(self.site_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedClient:
    """A program that is to get another key."""

    id: int
    permissions: list[str]
    site_ids: list[str] | None

    @property
    def sites(self) -> frozenset[str] | None:
        """Where its keys allow it; ``None`` for the whole province."""
        return None if self.site_ids is None else frozenset(self.site_ids)

    @property
    def granted(self) -> frozenset[Permission]:
        """What its keys allow."""
        return _granted(self.permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClientRow:
    id: int
    name: str
    purpose: str
    permissions: list[str]
    site_ids: list[str] | None
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeyOfClientRow:
    client_id: int
    prefix: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


class MachineRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_client(self, new: NewClient, *, made_by: str, now: datetime) -> int | None:
        """Make a program and return its id; ``None`` when the name is taken."""
        return await self._scalar(
            "insert_client",
            name=new.name,
            purpose=new.purpose,
            permissions=sorted(new.permissions),
            site_ids=None if new.site_ids is None else sorted(new.site_ids),
            made_by=made_by,
            now=now,
        )

    async def locked_client(self, name: str) -> LockedClient | None:
        """A program whose keys can't be changed by others until the transaction ends."""
        async with self._connection.cursor(row_factory=class_row(LockedClient)) as cursor:
            await cursor.execute(QUERIES["lock_client"], {"name": name})
            return await cursor.fetchone()

    async def count_working_keys(self, client_id: int, *, now: datetime) -> int:
        """How many keys of a program let it in."""
        return await self._scalar("count_working_keys", client_id=client_id, now=now) or 0

    async def add_key(
        self,
        client_id: int,
        *,
        prefix: str,
        secret_hash: bytes,
        made_by: str,
        now: datetime,
        expires_at: datetime,
    ) -> None:
        """Keep a key's hash."""
        await self._connection.execute(
            QUERIES["insert_key"],
            {
                "client_id": client_id,
                "prefix": prefix,
                "secret_hash": secret_hash,
                "made_by": made_by,
                "now": now,
                "expires_at": expires_at,
            },
        )

    async def shorten_keys(self, client_id: int, *, ends_at: datetime) -> None:
        """Let every key of a program end at a time, if it does not end earlier."""
        await self._connection.execute(
            QUERIES["shorten_keys"], {"client_id": client_id, "ends_at": ends_at}
        )

    async def revoke(self, prefix: str, *, revoked_by: str, now: datetime) -> str | None:
        """End a key at once and return its program; ``None`` when no working key is named so."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["revoke_key"], {"prefix": prefix, "revoked_by": revoked_by, "now": now}
            )
            name: str | None = await cursor.fetchone()
        return name

    async def key(self, prefix: str) -> KeyRow | None:
        """A key by its prefix."""
        async with self._connection.cursor(row_factory=class_row(KeyRow)) as cursor:
            await cursor.execute(QUERIES["select_key"], {"prefix": prefix})
            return await cursor.fetchone()

    async def touch(self, key_id: int, *, now: datetime, used_before: datetime) -> None:
        """Record that a key was used."""
        await self._connection.execute(
            QUERIES["touch_key"], {"key_id": key_id, "now": now, "used_before": used_before}
        )

    async def clients(self, *, after: str, limit: int) -> tuple[ClientOverview, ...]:
        """Programs by name, with their newest keys."""
        async with self._connection.cursor(row_factory=class_row(_ClientRow)) as cursor:
            await cursor.execute(QUERIES["select_clients"], {"after": after, "rows_max": limit})
            rows = await cursor.fetchall()
        keys = await self._keys_of([row.id for row in rows])
        return tuple(
            ClientOverview(
                name=row.name,
                purpose=row.purpose,
                permissions=tuple(each for each in Permission if each in row.permissions),
                site_ids=None if row.site_ids is None else tuple(row.site_ids),
                made_by=row.made_by,
                made_at=row.made_at,
                keys=tuple(keys[row.id]),
            )
            for row in rows
        )

    async def _keys_of(self, client_ids: list[int]) -> defaultdict[int, list[KeyOverview]]:
        """The newest keys of each of some programs."""
        keys: defaultdict[int, list[KeyOverview]] = defaultdict(list)
        async with self._connection.cursor(row_factory=class_row(_KeyOfClientRow)) as cursor:
            await cursor.execute(
                QUERIES["select_keys_of_clients"],
                {"client_ids": client_ids, "keys_max": KEYS_SHOWN_MAX},
            )
            for row in await cursor.fetchall():
                keys[row.client_id].append(
                    KeyOverview(
                        prefix=row.prefix,
                        made_by=row.made_by,
                        made_at=row.made_at,
                        expires_at=row.expires_at,
                        revoked_at=row.revoked_at,
                        last_used_at=row.last_used_at,
                    )
                )
        return keys

    async def _scalar(self, query: str, **values: object) -> int | None:
        """The number that a query answers with."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[query], values)
            number: int | None = await cursor.fetchone()
        return number


def _granted(permissions: list[str]) -> frozenset[Permission]:
    """What a row allows; a permission that no longer exists is nobody's."""
    return frozenset(map(Permission, set(permissions) & set(Permission)))
