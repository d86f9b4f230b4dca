# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic out of its counts; read only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.domain.local_time import LOCAL_ZONE
from central.domain.scope import SiteScope
from central.traffic.histograms import LATENCY_BOUNDS_S, SPEED_BOUNDS_KMH, quantile
from central.traffic.types import (
    DAY,
    HOUR,
    SLOTS_MAX,
    FlowSlot,
    JourneyCount,
    Passed,
    SiteCount,
    Span,
)

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CountedSlot(Passed):
    """A slot as hours and days keep it."""

    speed_counts: list[int] | None
    latency_counts: list[int] | None


class TrafficRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def flow(self, span: Span, scope: SiteScope) -> Sequence[FlowSlot]:
        """Every slot of a span in order, out of the coarsest counts that serve it."""
        if span.slot < HOUR:
            async with self._connection.cursor(row_factory=class_row(FlowSlot)) as cursor:
                await cursor.execute(QUERIES["flow_of_minutes"], _parameters(span, scope))
                return await cursor.fetchall()
        query = QUERIES["flow_of_hours" if span.slot < DAY else "flow_of_days"]
        async with self._connection.cursor(row_factory=class_row(_CountedSlot)) as counted:
            await counted.execute(query, _parameters(span, scope))
            return [_flow_slot(each) for each in await counted.fetchall()]

    async def journeys(
        self,
        *,
        since: datetime,
        until: datetime,
        pause: timedelta,
        vehicles_min: int,
        limit: int,
        scope: SiteScope,
    ) -> Sequence[JourneyCount]:
        """Journeys by first and last site, the commonest first."""
        async with self._connection.cursor(row_factory=class_row(JourneyCount)) as cursor:
            await cursor.execute(
                QUERIES["count_journeys"],
                {
                    "since": since,
                    "until": until,
                    "pause": pause,
                    "vehicles_min": vehicles_min,
                    "rows_max": limit,
                    "scope": scope.as_list(),
                },
            )
            return await cursor.fetchall()

    async def by_site(self, since: datetime, scope: SiteScope) -> Sequence[SiteCount]:
        """How many passed every site since a time; sites without any are left out."""
        async with self._connection.cursor(row_factory=class_row(SiteCount)) as cursor:
            await cursor.execute(
                QUERIES["count_by_site"],
                {"since": since, "scope": scope.as_list(), "rows_max": SLOTS_MAX},
            )
            return await cursor.fetchall()


def _flow_slot(counted: _CountedSlot) -> FlowSlot:
    """Percentiles out of histograms."""
    speeds = counted.speed_counts or [0] * (len(SPEED_BOUNDS_KMH) + 1)
    latencies = counted.latency_counts or [0] * (len(LATENCY_BOUNDS_S) + 1)
    return FlowSlot(
        starts_at=counted.starts_at,
        passages=counted.passages,
        plates_read=counted.plates_read,
        late=counted.late,
        motorcycles=counted.motorcycles,
        cars=counted.cars,
        buses=counted.buses,
        trucks=counted.trucks,
        speed_kmh_median=quantile(speeds, SPEED_BOUNDS_KMH, share=0.5),
        speed_kmh_85=quantile(speeds, SPEED_BOUNDS_KMH, share=0.85),
        latency_s_median=quantile(latencies, LATENCY_BOUNDS_S, share=0.5),
        latency_s_99=quantile(latencies, LATENCY_BOUNDS_S, share=0.99),
    )


def _parameters(span: Span, scope: SiteScope) -> Mapping[str, object]:
    first_day, last_day = span.days
    return {
        "since": span.since,
        "until": span.until,
        "slot": span.slot,
        "first_day": first_day,
        "last_day": last_day,
        "zone": LOCAL_ZONE.key,
        "scope": scope.as_list(),
        "rows_max": SLOTS_MAX,
    }
