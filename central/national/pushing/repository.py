# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of a province that hands its figures up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.domain.local_time import LOCAL_ZONE, local_date
from central.national.pushing.types import DueSheet, Trouble
from central.national.types import ROWS_MAX, ROWS_OF, Sheet, SheetKind

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCount:
    """How much the national centre has answered."""

    answered: int
    refused: int
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _DueRow:
    kind: str
    starts_at: datetime
    revised_at: datetime
    known_sha256: bytes | None


class PushRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def due(
        self, *, hours_before: datetime, refused_before: datetime, limit: int
    ) -> Sequence[DueSheet]:
        """Sheets whose newest version was not answered, the earliest first.

        Args:
            hours_before: Hours that begin at this instant or later are not over.
            refused_before: Sheets that were refused before this are tried again.
            limit: Most sheets.
        """
        async with self._connection.cursor(row_factory=class_row(_DueRow)) as cursor:
            await cursor.execute(
                QUERIES["select_due"],
                {
                    "hours_before": hours_before,
                    "refused_before": refused_before,
                    "zone": LOCAL_ZONE.key,
                    "rows_max": limit,
                },
            )
            return [
                DueSheet(
                    kind=SheetKind(row.kind),
                    starts_at=row.starts_at,
                    revised_at=row.revised_at,
                    known_sha256=row.known_sha256,
                )
                for row in await cursor.fetchall()
            ]

    async def sheet(self, due: DueSheet) -> Sheet:
        """A sheet as it is now: at least the version that is due."""
        async with self._connection.cursor(row_factory=class_row(ROWS_OF[due.kind])) as cursor:
            await cursor.execute(
                QUERIES[f"select_{due.kind}"],
                {
                    "starts_at": due.starts_at,
                    "day": local_date(due.starts_at),
                    "rows_max": ROWS_MAX,
                },
            )
            rows = await cursor.fetchall()
        return Sheet(
            kind=due.kind,
            starts_at=due.starts_at,
            revised_at=due.revised_at,
            rows=tuple(rows),
        )

    async def note_answer(self, sheet: Sheet, *, refusal: str | None, now: datetime) -> None:
        """The national centre answered about a version of a sheet."""
        await self._connection.execute(
            QUERIES["note_answer"],
            {
                "kind": sheet.kind,
                "starts_at": sheet.starts_at,
                "revised_at": sheet.revised_at,
                "content_sha256": sheet.content_sha256,
                "refusal": refusal,
                "now": now,
            },
        )

    async def trouble(self) -> Trouble | None:
        """Whether the national centre does not answer."""
        async with self._connection.cursor(row_factory=class_row(Trouble)) as cursor:
            await cursor.execute(QUERIES["select_trouble"])
            return await cursor.fetchone()

    async def note_trouble(
        self, reason: str, *, failures: int, next_at: datetime, now: datetime
    ) -> None:
        """The national centre did not answer."""
        await self._connection.execute(
            QUERIES["note_trouble"],
            {"reason": reason, "failures": failures, "next_at": next_at, "now": now},
        )

    async def end_trouble(self) -> None:
        """The national centre answers."""
        await self._connection.execute(QUERIES["end_trouble"])

    async def count_answered(self) -> AnsweredCount:
        """How much the national centre has answered."""
        async with self._connection.cursor(row_factory=class_row(AnsweredCount)) as cursor:
            await cursor.execute(QUERIES["count_answered"])
            found = await cursor.fetchone()
        return found or AnsweredCount(answered=0, refused=0, answered_at=None)
