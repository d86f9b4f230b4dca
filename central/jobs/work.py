# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the periodic jobs do; each call is bounded, and more is left for the next one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from central.evidence.service import ERASE_BATCH_MAX, EvidenceService
from central.evidence.store import EvidenceStore
from central.identity.service import IdentityService
from central.passages.service import PassageService
from central.settings import JobsSettings
from central.sites.repository import SiteRepository

ROWS_PER_COMMIT: Final = 5000
ROUNDS_MAX: Final = 100
"""Most commits of one job run: the rest waits for the next run."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """The periodic work with everything it needs."""

    pool: AsyncConnectionPool[AsyncConnection]
    evidence: EvidenceStore
    settings: JobsSettings

    async def mark_silent_devices(self, now: datetime) -> int:
        """Mark devices whose heartbeats stopped; returns how many are newly silent."""
        async with self.pool.connection() as connection:
            silent = await SiteRepository(connection).mark_silent(
                heard_before=now - self.settings.device_silent_after, now=now
            )
        for device_id in silent:
            log.warning("device_silent", device_id=device_id)
        return len(silent)

    async def erase_evidence(self, now: datetime) -> int:
        """Erase pictures whose date has passed, files first; returns how many."""
        erased = 0
        for _ in range(ROUNDS_MAX):
            async with self.pool.connection() as connection:
                gone = await EvidenceService(connection, self.evidence).erase_due(now=now)
            erased += gone
            if gone < ERASE_BATCH_MAX:
                break
        if erased:
            log.info("evidence_erased", pictures=erased)
        return erased

    async def remove_dead_sessions(self, now: datetime) -> int:
        """Remove sessions that can't be used any more; returns how many."""
        async with self.pool.connection() as connection:
            return await IdentityService(connection).remove_dead_sessions(now=now)

    async def trim_heartbeats(self, now: datetime) -> int:
        """Forget old heartbeat history; returns how many rows went."""
        removed = 0
        for _ in range(ROUNDS_MAX):
            async with self.pool.connection() as connection:
                gone = await SiteRepository(connection).forget_heartbeats(
                    before=now - self.settings.heartbeat_keep, limit=ROWS_PER_COMMIT
                )
            removed += gone
            if gone < ROWS_PER_COMMIT:
                break
        return removed

    async def trim_feed(self, now: datetime) -> int:
        """Forget the live feed's past; returns how many entries went."""
        removed = 0
        for _ in range(ROUNDS_MAX):
            async with self.pool.connection() as connection:
                gone = await PassageService(connection).forget_feed(
                    before=now - self.settings.feed_keep, limit=ROWS_PER_COMMIT
                )
            removed += gone
            if gone < ROWS_PER_COMMIT:
                break
        return removed
