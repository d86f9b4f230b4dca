# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of retention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import SESSION_FILE_NAME, QueryFile
from central.documents.types import DocumentId
from central.evidence.types import Purpose
from central.protection.keeping.types import ErasureRecord, Kept, RecordCursor, Span, Way

QUERIES: Final = QueryFile.beside(__file__)
STATEMENT_TIMEOUT: Final = "30min"
"""A week of a busy province is judged in minutes; other statements have less."""
LOCK_TIMEOUT: Final = "10s"
"""Dropping a chunk waits for its readers, and whoever comes meanwhile waits behind it. Higher: old
chunks are dropped beside long questions; lower: nobody waits for long."""

_SESSION_FILE: Final = Path(__file__).with_name(SESSION_FILE_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """Where data lie, and the queries that are about them."""

    hypertables: tuple[str, ...]
    judge: str
    put_aside: tuple[str, ...]
    delete: tuple[str, ...]
    put_back: tuple[str, ...]


_TABLES: Final[Mapping[Kept, _Tables]] = {
    Kept.PASSAGES: _Tables(
        hypertables=("passage", "passage_evidence"),
        judge="judge_passages",
        put_aside=("put_passages_aside", "put_named_pictures_aside"),
        delete=("delete_named_pictures", "delete_passages"),
        put_back=("put_passages_back", "put_named_pictures_back"),
    ),
    Kept.TAG_READS: _Tables(
        hypertables=("tag_read",),
        judge="judge_tag_reads",
        put_aside=("put_tag_reads_aside",),
        delete=("delete_tag_reads",),
        put_back=("put_tag_reads_back",),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """Rows that go: how many, and the hash over their ids."""

    erased: int
    ids_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """Rows that stay for one purpose, and when the first of them goes."""

    purpose: str
    rows_kept: int
    first_goes_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _SpanRow:
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordRow:
    id: UUID
    made_at: datetime
    data: str
    since: datetime
    until: datetime
    way: str
    erased: int
    pictures: int
    kept: dict[str, int]
    periods: dict[str, float]
    ids_sha256: str

    def record(self) -> ErasureRecord:
        """The row as a value."""
        return ErasureRecord(
            id=self.id,
            made_at=self.made_at,
            data=Kept(self.data),
            since=self.since,
            until=self.until,
            way=Way(self.way),
            erased=self.erased,
            pictures=self.pictures,
            kept={Purpose(purpose): rows for purpose, rows in self.kept.items()},
            periods={
                Purpose(purpose): timedelta(seconds=seconds)
                for purpose, seconds in self.periods.items()
            },
            ids_sha256=self.ids_sha256,
        )


class KeepingRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def due_span(self, data: Kept, *, old_before: datetime, now: datetime) -> Span | None:
        """The oldest span that has to be judged."""
        async with self._connection.cursor(row_factory=class_row(_SpanRow)) as cursor:
            await cursor.execute(QUERIES["select_due_span"], _due(data, old_before, now))
            row = await cursor.fetchone()
        return Span(data=data, since=row.since, until=row.until) if row is not None else None

    async def due_spans(self, data: Kept, *, old_before: datetime, now: datetime) -> int:
        """How many spans have to be judged."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_due_spans"], _due(data, old_before, now))
            return int(await cursor.fetchone() or 0)

    async def claim(self, span: Span) -> None:
        """Keep late writers out of a span until the commit, and give the work its time."""
        await self._connection.execute(
            "SELECT set_config('statement_timeout', %s, true),"
            " set_config('lock_timeout', %s, true)",
            [STATEMENT_TIMEOUT, LOCK_TIMEOUT],
        )
        for hypertable in _TABLES[span.data].hypertables:
            await self._connection.execute(
                QUERIES["claim_span"], _bounds(span) | {"hypertable": hypertable}
            )

    async def judge(
        self,
        span: Span,
        periods: Mapping[Purpose, timedelta],
        *,
        pursued_reasons: Sequence[str],
        now: datetime,
    ) -> None:
        """Find out why and until when each row of a span is kept."""
        await prepare_judging(self._connection)
        parameters = _bounds(span) | {purpose.value: keep for purpose, keep in periods.items()}
        await self._connection.execute(
            QUERIES[_TABLES[span.data].judge],
            parameters | {"pursued_reasons": list(pursued_reasons), "now": now},
        )
        await self._connection.execute("ANALYZE judged")

    async def going(self, *, now: datetime) -> Going:
        """What goes of the span that was judged."""
        async with self._connection.cursor(row_factory=class_row(Going)) as cursor:
            await cursor.execute(QUERIES["sum_up_going"], {"now": now})
            row = await cursor.fetchone()
        if row is None:
            raise AssertionError("a sum has a row")
        return row

    async def staying(self, *, now: datetime) -> Sequence[Staying]:
        """What stays of the span that was judged."""
        async with self._connection.cursor(row_factory=class_row(Staying)) as cursor:
            await cursor.execute(QUERIES["sum_up_staying"], {"now": now})
            return await cursor.fetchall()

    async def release_pictures(self, span: Span, *, now: datetime) -> int:
        """Have pictures of what goes erased, and keep those of what stays; returns the former."""
        parameters = _bounds(span) | {"now": now}
        released = await self._connection.execute(QUERIES["release_pictures"], parameters)
        await self._connection.execute(QUERIES["keep_pictures"], parameters)
        return released.rowcount

    async def release_strays(self, *, old_before: datetime, now: datetime) -> int:
        """Have pictures erased that no passage ever named; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["release_strays"], {"old_before": old_before, "now": now}
        )
        return cursor.rowcount

    async def drop(self, span: Span, *, now: datetime) -> None:
        """Drop the chunks of a span, and put back what stays."""
        tables = _TABLES[span.data]
        parameters = _bounds(span) | {"now": now, "is_all": True}
        for query in tables.put_aside:
            await self._connection.execute(QUERIES[query], parameters)
        for hypertable in tables.hypertables:
            await self._connection.execute(
                QUERIES["drop_span"], _bounds(span) | {"hypertable": hypertable}
            )
        # A chunk that reaches beyond the span is still there: its size was changed meanwhile.
        for query in (*tables.delete, *tables.put_back):
            await self._connection.execute(QUERIES[query], parameters)

    async def delete(self, span: Span, *, now: datetime) -> None:
        """Delete what goes, row by row."""
        parameters = _bounds(span) | {"now": now, "is_all": False}
        for query in _TABLES[span.data].delete:
            await self._connection.execute(QUERIES[query], parameters)

    async def note_judged(self, span: Span, *, next_at: datetime, now: datetime) -> None:
        """Note that a span was judged."""
        await self._connection.execute(
            QUERIES["note_judged"],
            _bounds(span) | {"data": span.data, "now": now, "next_judged_at": next_at},
        )

    async def add_record(self, record: ErasureRecord, paper: DocumentId) -> None:
        """Keep the record of an erasure."""
        values = {name: getattr(record, name) for name in record.__slots__}
        await self._connection.execute(
            QUERIES["insert_record"],
            values
            | {
                "document_id": paper,
                "kept": Jsonb(dict(record.kept)),
                "periods": Jsonb(
                    {purpose: keep.total_seconds() for purpose, keep in record.periods.items()}
                ),
            },
        )

    async def records(self, *, before: RecordCursor | None, limit: int) -> Sequence[ErasureRecord]:
        """Records, newest first."""
        async with self._connection.cursor(row_factory=class_row(_RecordRow)) as cursor:
            await cursor.execute(
                QUERIES["select_records"],
                {
                    "before_at": before.made_at if before is not None else None,
                    "before_id": before.id if before is not None else None,
                    "rows_max": limit,
                },
            )
            return [row.record() for row in await cursor.fetchall()]

    async def paper(self, record_id: UUID) -> DocumentId | None:
        """The paper of a record; ``None`` when there is no such record."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_paper"], {"record_id": record_id})
            found = await cursor.fetchone()
        return DocumentId(found) if found is not None else None


async def prepare_judging(connection: AsyncConnection) -> None:
    """Make the connection's own tables in which rows are judged."""
    await connection.execute(_SESSION_FILE.read_text("utf-8"))


def _due(data: Kept, old_before: datetime, now: datetime) -> dict[str, object]:
    hypertable = _TABLES[data].hypertables[0]
    return {"data": data, "hypertable": hypertable, "old_before": old_before, "now": now}


def _bounds(span: Span) -> dict[str, object]:
    return {"since": span.since, "until": span.until}
