# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ledger's work: chaining what was booked."""

from typing import Final

from central.jobs.context import JobContext
from central.ledger.service import SEAL_ROWS_MAX, LedgerService
from central.ledger.types import SealReach

BATCHES_MAX: Final = 100
"""Most transactions of one run; what is left waits for the next."""


async def seal_ledger(context: JobContext) -> int:
    """Chain what was booked since the last time; returns how many entries."""
    return await _seal(context, SealReach.RECENT)


async def seal_ledger_stragglers(context: JobContext) -> int:
    """Chain also entries that were committed long after those around them; returns how many."""
    return await _seal(context, SealReach.EVERYTHING)


async def _seal(context: JobContext, reach: SealReach) -> int:
    total = 0
    for _ in range(BATCHES_MAX):
        async with context.transaction() as connection:
            sealed = await LedgerService(connection).seal(
                now=context.now(), reach=reach, limit=SEAL_ROWS_MAX
            )
        total += sealed
        if sealed < SEAL_ROWS_MAX:
            break
    return total
