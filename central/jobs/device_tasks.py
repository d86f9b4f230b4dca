# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work about devices and their messages that people ask for on pages."""

import asyncio

from central.db.pool import connection_info
from central.ingest.release import release_quarantined
from central.ingest.repository import RELEASABLE_REASONS
from central.jobs.context import JobContext


async def retry_quarantined(context: JobContext, *, entry_id: int) -> None:
    """Try to store one message in quarantine again; a thread, as ingest's code is not async."""
    settings = context.settings
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-jobs",
    )
    await asyncio.to_thread(
        release_quarantined,
        info,
        limits=settings.ingest.time_limits,
        now=context.now(),
        reasons=tuple(sorted(RELEASABLE_REASONS)),
        entry_id=entry_id,
    )
