# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows that are kept from their closing on: alerts, and messages of the quarantine.

An alert goes with its sightings and notes, after the period of the automatic control, or that of
evidence where it led to action; while a dossier that it names goes on it stays. What is open stays.

A message that became a row goes whole: the row is judged by itself, and its number is held. One
that was dropped by hand explains a number that never became a row, so its entry stays for the
ledger of completeness, without what the message said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.evidence.types import Purpose
from central.protection.keeping.repository import QUERIES, prepare_judging
from central.protection.keeping.types import Kept, Span

ROWS_AT_ONCE: Final = 10_000
"""Rows that one erasure takes at most. Higher: fewer records, longer transactions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queries:
    count: str
    judge: str
    erase: tuple[str, ...]


_QUERIES: Final[Mapping[Kept, _Queries]] = {
    Kept.ALERTS: _Queries(
        count="count_due_alerts",
        judge="judge_alerts",
        erase=("delete_sightings", "delete_alerts"),
    ),
    Kept.QUARANTINE: _Queries(
        count="count_due_quarantine",
        judge="judge_quarantine",
        erase=("delete_quarantine", "empty_quarantine"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _JudgedRow:
    since: datetime | None
    until: datetime | None


class ClosedRows:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(
        self,
        connection: AsyncConnection,
        *,
        periods: Mapping[Purpose, timedelta],
        pursued_reasons: Sequence[str],
    ) -> None:
        self._connection = connection
        self._periods = {purpose.value: keep for purpose, keep in periods.items()}
        self._pursued_reasons = list(pursued_reasons)

    async def due(self, data: Kept, *, now: datetime) -> int:
        """How many rows are due."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[_QUERIES[data].count], self._parameters(now))
            return int(await cursor.fetchone() or 0)

    async def judge(self, data: Kept, *, now: datetime) -> Span | None:
        """Note the rows that go, those closed longest ago first; ``None`` when none goes."""
        await prepare_judging(self._connection)
        await self._connection.execute(QUERIES[_QUERIES[data].judge], self._parameters(now))
        async with self._connection.cursor(row_factory=class_row(_JudgedRow)) as cursor:
            await cursor.execute(QUERIES["select_judged_span"])
            row = await cursor.fetchone()
        if row is None or row.since is None or row.until is None:
            return None
        if data is Kept.ALERTS:
            await self._connection.execute(
                QUERIES["judge_staying_alerts"],
                self._parameters(now) | {"since": row.since, "until": row.until},
            )
        return Span(data=data, since=row.since, until=row.until)

    async def erase(self, data: Kept, *, now: datetime) -> None:
        """Erase what was judged to go."""
        for query in _QUERIES[data].erase:
            await self._connection.execute(QUERIES[query], {"now": now})

    async def erase_lone_sightings(self, *, now: datetime) -> int:
        """Erase sightings that came too late for an alert; they name no plate."""
        cursor = await self._connection.execute(
            QUERIES["delete_lone_sightings"], self._parameters(now)
        )
        return cursor.rowcount

    def _parameters(self, now: datetime) -> dict[str, object]:
        return self._periods | {
            "now": now,
            "pursued_reasons": self._pursued_reasons,
            "rows_max": ROWS_AT_ONCE,
        }
