# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work about how rows lie on the disk."""

import structlog

from central.jobs.context import JobContext
from central.jobs.work import QUERIES

log = structlog.get_logger()


async def compress_old_chunks(context: JobContext) -> int:
    """Compress old chunks where the server's licence allows it; returns how many."""
    older_than = context.now() - context.settings.retention.compress_after
    async with context.transaction() as connection:
        cursor = await connection.execute(
            QUERIES["compress_old_chunks"], {"older_than": older_than}
        )
        row = await cursor.fetchone()
    compressed = row[0] if row is not None else None
    if compressed is None:
        log.debug("chunks_not_compressed", reason="the server is the Apache edition")
        return 0
    return int(compressed)
