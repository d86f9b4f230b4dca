# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the completeness ledger."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.multirange import Multirange

from central.completeness.types import (
    Held,
    LedgerCursor,
    NotedGap,
    OpenGap,
    OutboxFacts,
    StreamDay,
    Told,
)
from central.db.queries import QueryFile
from central.db.sequences import seq_set
from central.domain.local_time import start_of_local_day
from central.domain.scope import SiteScope
from central.domain.sequences import RANGES_MAX, SeqRange

QUERIES: Final = QueryFile.beside(__file__)
HELD_BACK_MAX: Final = 50_000
NOTED_MAX: Final = 50 * RANGES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class _ToldRow:
    told_outbox_id: UUID | None
    heard_at: datetime | None
    is_silent: bool | None
    told_events: int | None
    told_last_seq: int | None

    @property
    def told(self) -> Told | None:
        if self.told_outbox_id is None or self.heard_at is None:
            return None
        return Told(
            outbox_id=self.told_outbox_id,
            last_seq=self.told_last_seq,
            events=self.told_events or 0,
            heard_at=self.heard_at,
            is_silent=bool(self.is_silent),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LedgerRow(_ToldRow):
    device_id: str
    site_id: str
    site_name: str
    is_enabled: bool
    unnumbered: int
    stream_id: int
    outbox_id: UUID | None
    first_received_at: datetime | None
    last_received_at: datetime | None
    due_first: int | None
    due_last: int | None
    held: Multirange[int]
    arrived: int
    late: int
    doubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldRow:
    stream_id: int
    id: int
    seq: int
    reason: str
    is_dropped: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotedRow:
    stream_id: int
    first_seq: int
    last_seq: int
    noticed_at: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenRow(_ToldRow):
    stream_id: int
    device_id: str
    site_id: str
    first_seq: int
    noticed_at: datetime
    missing: Multirange[int]
    outbox_id: UUID
    first_received_at: datetime
    last_received_at: datetime


class CompletenessRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ledger(
        self,
        scope: SiteScope,
        day: date,
        *,
        device_id: str | None,
        after: LedgerCursor | None,
        limit: int,
    ) -> Sequence[StreamDay]:
        """A day of the devices of a scope, by device and outbox."""
        place = after or LedgerCursor(device_id="", stream_id=0)
        async with self._connection.cursor(row_factory=class_row(_LedgerRow)) as cursor:
            await cursor.execute(
                QUERIES["select_ledger"],
                {
                    "scope": scope.as_list(),
                    "device_id": device_id,
                    "day": day,
                    "day_began_at": start_of_local_day(day),
                    "day_ended_at": start_of_local_day(day + timedelta(days=1)),
                    "after_device": place.device_id,
                    "after_stream": place.stream_id,
                    "rows_max": limit,
                },
            )
            return [_stream_day(row) for row in await cursor.fetchall()]

    async def held_back(self, days: Sequence[StreamDay]) -> Mapping[int, Sequence[Held]]:
        """Messages in quarantine or dropped that carry numbers of these days, by outbox."""
        wanted = [(day, day.facts, day.due) for day in days]
        owing = [(day, facts, due) for day, facts, due in wanted if facts and due]
        found = defaultdict[int, list[Held]](list)
        async with self._connection.cursor(row_factory=class_row(_HeldRow)) as cursor:
            await cursor.execute(
                QUERIES["select_held_back"],
                {
                    "stream_ids": [day.stream_id for day, _, _ in owing],
                    "device_ids": [day.device_id for day, _, _ in owing],
                    "outbox_ids": [facts.outbox_id for _, facts, _ in owing],
                    "firsts": [due.first for _, _, due in owing],
                    "lasts": [due.last for _, _, due in owing],
                    "rows_max": HELD_BACK_MAX,
                },
            )
            for row in await cursor.fetchall():
                found[row.stream_id].append(
                    Held(
                        id=row.id,
                        seq=row.seq,
                        reason=row.reason,
                        is_dropped=row.is_dropped,
                        received_at=row.received_at,
                    )
                )
        return found

    async def noted(self, stream_ids: Sequence[int]) -> Mapping[int, Sequence[NotedGap]]:
        """Since when numbers of these outboxes have been missed, ascending, by outbox."""
        found = defaultdict[int, list[NotedGap]](list)
        async with self._connection.cursor(row_factory=class_row(_NotedRow)) as cursor:
            await cursor.execute(
                QUERIES["select_noted_gaps"],
                {"stream_ids": list(stream_ids), "rows_max": NOTED_MAX},
            )
            for row in await cursor.fetchall():
                found[row.stream_id].append(
                    NotedGap(
                        numbers=SeqRange(first=row.first_seq, last=row.last_seq),
                        noticed_at=row.noticed_at,
                        is_overdue=row.is_overdue,
                    )
                )
        return found

    async def note_gaps(self, *, now: datetime, limit: int) -> int:
        """Remember what is missing since now; returns how many gaps."""
        cursor = await self._connection.execute(
            QUERIES["note_gaps"], {"now": now, "rows_max": limit}
        )
        return cursor.rowcount

    async def end_filled_gaps(self, *, now: datetime) -> int:
        """Close gaps whose numbers have come; returns how many."""
        forgotten = await self._connection.execute(QUERIES["delete_filled_gaps"])
        ended = await self._connection.execute(QUERIES["end_overdue_gaps"], {"now": now})
        return forgotten.rowcount + ended.rowcount

    async def open_gaps(
        self, *, noticed_before: datetime, after: tuple[int, int], limit: int
    ) -> Sequence[OpenGap]:
        """Gaps without an alarm by outbox and number, from one place on."""
        async with self._connection.cursor(row_factory=class_row(_OpenRow)) as cursor:
            await cursor.execute(
                QUERIES["select_open_gaps"],
                {
                    "noticed_before": noticed_before,
                    "after_stream": after[0],
                    "after_seq": after[1],
                    "rows_max": limit,
                },
            )
            return [_open_gap(row) for row in await cursor.fetchall()]

    async def mark_overdue(self, gaps: Sequence[OpenGap], *, now: datetime) -> None:
        """Begin the alarm of these gaps."""
        await self._connection.execute(
            QUERIES["mark_overdue_gaps"],
            {
                "stream_ids": [gap.stream_id for gap in gaps],
                "first_seqs": [gap.first_seq for gap in gaps],
                "now": now,
            },
        )


def _open_gap(row: _OpenRow) -> OpenGap:
    """A gap from its row."""
    return OpenGap(
        stream_id=row.stream_id,
        device_id=row.device_id,
        site_id=row.site_id,
        first_seq=row.first_seq,
        noticed_at=row.noticed_at,
        missing=seq_set(row.missing),
        facts=OutboxFacts(
            outbox_id=row.outbox_id,
            first_received_at=row.first_received_at,
            last_received_at=row.last_received_at,
            told=row.told,
        ),
    )


def _stream_day(row: _LedgerRow) -> StreamDay:
    """A day of an outbox from its row."""
    facts = None
    if row.outbox_id is not None and row.first_received_at and row.last_received_at:
        facts = OutboxFacts(
            outbox_id=row.outbox_id,
            first_received_at=row.first_received_at,
            last_received_at=row.last_received_at,
            told=row.told,
        )
    due = None
    if row.due_first is not None and row.due_last is not None and row.due_first <= row.due_last:
        due = SeqRange(first=row.due_first, last=row.due_last)
    return StreamDay(
        device_id=row.device_id,
        site_id=row.site_id,
        site_name=row.site_name,
        is_enabled=row.is_enabled,
        told=row.told,
        unnumbered=row.unnumbered,
        stream_id=row.stream_id,
        facts=facts,
        due=due,
        held=seq_set(row.held),
        arrived=row.arrived,
        late=row.late,
        doubled=row.doubled,
    )
