# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts, as they are taken and replaced."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from central.db.queries import QueryFile
from central.domain.local_time import start_of_local_day
from central.traffic.histograms import LATENCY_BOUNDS_S, SPEED_BOUNDS_KMH

QUERIES: Final = QueryFile.beside(__file__)
COUNTING_LOCK_ID: Final = 0x6C75_7574_636E
"""Advisory lock under which counts are replaced."""

_DAY: Final = timedelta(days=1)


class CountingRepository:
    """Writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Wait until nobody else counts; held until the transaction ends."""
        await self._connection.execute(QUERIES["lock_counting"], {"lock_id": COUNTING_LOCK_ID})

    async def take_touched(self, *, limit: int) -> Sequence[datetime]:
        """Minutes that must be counted, each once, in order; they are off the list now."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["take_touched"], {"rows_max": limit})
            return await cursor.fetchall()

    async def touch_span(self, *, since: datetime, until: datetime) -> int:
        """Put the minutes of a span on the list; returns how many."""
        cursor = await self._connection.execute(
            QUERIES["touch_span"], {"since": since, "until": until}
        )
        return cursor.rowcount

    async def count_minutes(self, minutes: Sequence[datetime], *, day: date) -> None:
        """Replace the counts of minutes of one day by what the passages say now."""
        await self._replace("minutes", _bounds(day) | {"minutes": list(minutes)})

    async def count_hours(self, hours: Sequence[datetime], *, day: date) -> None:
        """Replace the counts of hours of one day by what their minutes say now, and note when."""
        bounds = {
            "speed_bounds": list(SPEED_BOUNDS_KMH),
            "latency_bounds": list(LATENCY_BOUNDS_S),
        }
        await self._replace("hours", _bounds(day) | bounds | {"hours": list(hours)})
        await self._connection.execute(QUERIES["note_hours"], {"hours": list(hours)})

    async def count_day(self, day: date) -> None:
        """Replace the counts of a day by what its hours say now."""
        await self._replace("days", _bounds(day) | {"day": day})

    async def _replace(self, level: str, parameters: Mapping[str, object]) -> None:
        await self._connection.execute(QUERIES[f"forget_{level}"], parameters)
        await self._connection.execute(QUERIES[f"count_{level}"], parameters)


def _bounds(day: date) -> dict[str, object]:
    since = start_of_local_day(day)
    return {"since": since, "until": since + _DAY}
