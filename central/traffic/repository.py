# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passages, counted; read only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.domain.scope import SiteScope
from central.traffic.types import SLOTS_MAX, CountSlot, FlowSlot, SiteCount, Span

QUERIES: Final = QueryFile.beside(__file__)


class TrafficRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def flow(self, span: Span, scope: SiteScope) -> Sequence[FlowSlot]:
        """Slots that hold a passage, in order."""
        async with self._connection.cursor(row_factory=class_row(FlowSlot)) as cursor:
            await cursor.execute(QUERIES["summarise_flow"], _parameters(span, scope))
            return await cursor.fetchall()

    async def counts(self, span: Span, scope: SiteScope) -> Sequence[CountSlot]:
        """The same, counted only."""
        async with self._connection.cursor(row_factory=class_row(CountSlot)) as cursor:
            await cursor.execute(QUERIES["count_flow"], _parameters(span, scope))
            return await cursor.fetchall()

    async def by_site(self, since: datetime, scope: SiteScope) -> Sequence[SiteCount]:
        """How many passed every site since a time; sites without any are left out."""
        async with self._connection.cursor(row_factory=class_row(SiteCount)) as cursor:
            await cursor.execute(
                QUERIES["count_by_site"],
                {"since": since, "scope": scope.as_list(), "rows_max": SLOTS_MAX},
            )
            return await cursor.fetchall()


def _parameters(span: Span, scope: SiteScope) -> Mapping[str, object]:
    return {
        "since": span.since,
        "until": span.until,
        "slot": span.slot,
        "scope": scope.as_list(),
        "rows_max": SLOTS_MAX,
    }
