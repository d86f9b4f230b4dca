# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work about completeness."""

import structlog

from central.completeness.watching import follow_gaps as follow
from central.jobs.context import JobContext

log = structlog.get_logger()


async def follow_gaps(context: JobContext) -> int:
    """Note new gaps, end filled ones, begin alarms; returns how many gaps changed."""
    async with context.transaction() as connection:
        followed = await follow(
            connection, outbox_age_max=context.settings.jobs.outbox_age_max, now=context.now()
        )
    for device in followed.overdue:
        log.error("device_numbers_lost", device_id=device.device_id, numbers=device.numbers)
    return followed.noted + followed.filled + len(followed.overdue)
