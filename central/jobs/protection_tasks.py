# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job that looks for unusual looks: today so far, and yesterday as a whole."""

import asyncio
from datetime import timedelta
from typing import Final

from central.domain.local_time import local_date
from central.jobs.context import JobContext
from central.protection.service import ProtectionService
from central.settings import read_secret

DAYS_BACK: Final = 1


async def find_unusual_looks(context: JobContext) -> int:
    """Judge the looks of yesterday and today; returns how many are unusual."""
    now = context.now()
    file = context.settings.relatives_key_file
    key = (await asyncio.to_thread(read_secret, file)).encode() if file is not None else None
    found = 0
    async with context.transaction() as connection:
        service = ProtectionService(connection)
        for back in range(DAYS_BACK, -1, -1):
            day = local_date(now) - timedelta(days=back)
            found += await service.find_unusual(on=day, key=key, now=now)
    return found
