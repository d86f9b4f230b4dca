# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the audit log."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.audit.keys import SubjectKey
from central.audit.roots import DayRoot
from central.audit.rows import EntryRow, SealRow
from central.audit.types import SEALED, AuditEntry, AuditFilter
from central.db.queries import QueryFile

QUERIES: Final = QueryFile.beside(__file__)
SEALING_LOCK_ID: Final = 0x6C75_7561_7564
"""Advisory lock of whoever seals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayRow:
    """A day's last seal, and how many there are."""

    day: date
    entries: int
    position: int
    hash: bytes


class AuditRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> int:
        """Write one act down; returns its number."""
        key, personal = None, entry.personal
        if personal is not None:
            key = await self.key_for(personal.about, now=entry.occurred_at)
        is_sealed = key is not None and entry.subject_id == SEALED
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_entry"],
                {
                    "occurred_at": entry.occurred_at,
                    "actor_kind": entry.actor.kind,
                    "actor": entry.actor.name,
                    "actor_role": entry.actor.role,
                    "action": entry.action,
                    "outcome": entry.outcome,
                    "subject_kind": entry.subject_kind,
                    "subject_id": str(key.id) if key and is_sealed else entry.subject_id,
                    "purpose": entry.purpose,
                    "case_reference": entry.case_reference,
                    "request_id": entry.actor.request_id,
                    "detail": Jsonb(dict(entry.detail)),
                    "client_address": entry.actor.client_address,
                    "key_id": key.id if key else None,
                    "sealed_facts": key.seal(personal.facts) if key and personal else None,
                },
            )
            number = await cursor.fetchone()
        return int(number or 0)

    async def key_for(self, subject: str, *, now: datetime) -> SubjectKey:
        """The key of a subject; made when it has none."""
        known = await self.keys_of([subject], limit=1)
        if known:
            return known[0]
        fresh = SubjectKey.fresh()
        await self._connection.execute(
            QUERIES["insert_key"],
            {
                "id": fresh.id,
                "subject": subject,
                "secret": fresh.secret,
                "fingerprint": fresh.fingerprint,
                "now": now,
            },
        )
        return fresh

    async def keys_of(self, subjects: Collection[str], *, limit: int) -> list[SubjectKey]:
        """Keys of subjects, oldest first; destroyed ones belong to nobody."""
        async with self._connection.cursor(row_factory=class_row(SubjectKey)) as cursor:
            await cursor.execute(
                QUERIES["select_keys_of"], {"subjects": list(subjects), "rows_max": limit}
            )
            return await cursor.fetchall()

    async def keys(self, ids: Collection[UUID]) -> Mapping[UUID, SubjectKey]:
        """Keys by their ids; those that were destroyed are missing."""
        if not ids:
            return {}
        async with self._connection.cursor(row_factory=class_row(SubjectKey)) as cursor:
            await cursor.execute(QUERIES["select_keys"], {"ids": list(ids), "rows_max": len(ids)})
            return {key.id: key for key in await cursor.fetchall()}

    async def days_without_root(self, *, before: date, now: datetime, limit: int) -> list[DayRoot]:
        """Roots of days that are over and have none yet, oldest first, not signed."""
        async with self._connection.cursor(row_factory=class_row(_DayRow)) as cursor:
            await cursor.execute(
                QUERIES["select_days_without_root"], {"before": before, "rows_max": limit}
            )
            rows = await cursor.fetchall()
        return [
            DayRoot(
                day=row.day, entries=row.entries, position=row.position, hash=row.hash, made_at=now
            )
            for row in rows
        ]

    async def add_root(self, root: DayRoot) -> None:
        """Keep the root of a day; one that is there stays."""
        await self._connection.execute(
            QUERIES["insert_root"],
            {
                "day": root.day,
                "entries": root.entries,
                "position": root.position,
                "hash": root.hash,
                "made_at": root.made_at,
                "certificate": root.certificate,
                "signature": root.signature,
            },
        )

    async def roots(self, *, before: date | None, limit: int) -> list[DayRoot]:
        """Roots of days before a given one, newest first."""
        async with self._connection.cursor(row_factory=class_row(DayRoot)) as cursor:
            await cursor.execute(QUERIES["select_roots"], {"before": before, "rows_max": limit})
            return await cursor.fetchall()

    async def search(
        self, wanted: AuditFilter, *, before_id: int | None, limit: int
    ) -> Sequence[EntryRow]:
        """Entries with smaller numbers than a given one, newest first."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(
                QUERIES["search_entries"],
                {
                    "before_id": before_id,
                    "actor": wanted.actor,
                    "action": wanted.action,
                    "subject_kind": wanted.subject_kind,
                    "subject_id": wanted.subject_id,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def take_sealing_lock(self) -> bool:
        """Whether we are the one who seals, until the transaction ends."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["take_sealing_lock"], {"lock_id": SEALING_LOCK_ID})
            return bool(await cursor.fetchone())

    async def newest_seal(self) -> SealRow | None:
        """The end of the chain; ``None`` before the first seal."""
        async with self._connection.cursor(row_factory=class_row(SealRow)) as cursor:
            await cursor.execute(QUERIES["select_newest_seal"])
            return await cursor.fetchone()

    async def settled_entry(self, *, before: date) -> int:
        """The newest entry that was sealed before a day; 0 when there is none."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_settled_entry"], {"day": before})
            return int(await cursor.fetchone() or 0)

    async def unsealed(self, *, after_id: int, limit: int) -> Sequence[EntryRow]:
        """Committed entries without a seal, by number."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_unsealed_entries"], {"after_id": after_id, "rows_max": limit}
            )
            return await cursor.fetchall()

    async def add_seals(
        self, seals: Sequence[SealRow], *, sealed_on: date, sealed_at: datetime
    ) -> None:
        """Append links to the chain."""
        await self._connection.execute(
            QUERIES["insert_seals"],
            {
                "positions": [seal.position for seal in seals],
                "entry_ids": [seal.entry_id for seal in seals],
                "previous_hashes": [seal.previous_hash for seal in seals],
                "own_hashes": [seal.hash for seal in seals],
                "sealed_on": sealed_on,
                "sealed_at": sealed_at,
            },
        )

    async def seals(
        self, *, after_position: int, last_position: int, limit: int
    ) -> Sequence[SealRow]:
        """A stretch of the chain, in order."""
        async with self._connection.cursor(row_factory=class_row(SealRow)) as cursor:
            await cursor.execute(
                QUERIES["select_seals"],
                {
                    "after_position": after_position,
                    "last_position": last_position,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def entries(self, ids: Sequence[int]) -> Mapping[int, EntryRow]:
        """Entries by their numbers; those that are not there are missing."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_entries_by_id"], {"ids": list(ids), "rows_max": len(ids)}
            )
            return {row.id: row for row in await cursor.fetchall()}
