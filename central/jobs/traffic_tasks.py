# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work about traffic."""

from typing import Final

from central.jobs.context import JobContext
from central.traffic.counting.service import count_touched

ROUNDS_MAX: Final = 50
"""Most transactions of one run: the rest waits for the next one."""


async def count_traffic(context: JobContext) -> int:
    """Count the minutes that have changed, with their hours and days; returns how many minutes."""
    counted = 0
    for _ in range(ROUNDS_MAX):
        async with context.transaction() as connection:
            minutes = await count_touched(connection)
        if not minutes:
            break
        counted += minutes
    return counted
