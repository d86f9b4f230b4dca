# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts passages by minute, hour and day, again and again, until nothing is left to count.

Whoever stores or erases passages writes down their minutes in the same transaction
(``passage_touched``). A minute that is written down is counted anew out of its passages, its hour
out of the minutes, its day out of the hours. So late data repair their old minutes by themselves,
and counting twice changes nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Final

from psycopg import AsyncConnection

from central.domain.local_time import local_date
from central.traffic.counting.repository import CountingRepository

MINUTES_MAX: Final = 3000
"""Most minutes of one transaction. Higher: fewer commits; lower: readers wait less for locks."""

SPAN_MAX: Final = timedelta(days=31)


async def count_touched(connection: AsyncConnection, *, limit: int = MINUTES_MAX) -> int:
    """Count what has changed, in the caller's transaction.

    Args:
        connection: Its transaction holds back others that count.
        limit: Most notes of a changed minute to deal with.

    Returns:
        How many minutes were counted; none if nothing is left.
    """
    rows = CountingRepository(connection)
    await rows.lock()
    minutes = await rows.take_touched(limit=limit)
    for day, of_day in groupby(minutes, key=local_date):
        await _count_day(rows, day, list(of_day))
    return len(minutes)


async def touch_span(connection: AsyncConnection, *, since: datetime, until: datetime) -> int:
    """Have the minutes of a span counted again: after a repair by hand, or to be sure.

    Returns:
        How many minutes will be counted.

    Raises:
        ValueError: The span is empty or longer than ``SPAN_MAX``.
    """
    if not timedelta(0) < until - since <= SPAN_MAX:
        raise ValueError(f"need a span of at most {SPAN_MAX.days} days")
    return await CountingRepository(connection).touch_span(since=since, until=until)


async def _count_day(rows: CountingRepository, day: date, minutes: Sequence[datetime]) -> None:
    await rows.count_minutes(minutes, day=day)
    hours = sorted({minute.replace(minute=0) for minute in minutes})
    await rows.count_hours(hours, day=day)
    await rows.count_day(day)
