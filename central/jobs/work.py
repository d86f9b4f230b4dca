# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the periodic jobs do; each call is bounded, and more is left for the next one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from central.db.queries import QueryFile
from central.evidence.service import ERASE_BATCH_MAX, EvidenceService
from central.evidence.store import EvidenceStore
from central.identity.service import IdentityService
from central.passages.service import PassageService
from central.settings import JobsSettings
from central.sites.repository import SiteRepository
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.types import EventType, Happening

ROWS_PER_COMMIT: Final = 5000
KINDS_REPORTED_MAX: Final = 100
ROUNDS_MAX: Final = 100
"""Most commits of one job run: the rest waits for the next run."""

QUERIES: Final = QueryFile.beside(__file__)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _FailedJobs:
    """How many jobs of one kind were given up."""

    task: str
    failed: int
    newest_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Housekeeping:
    """The periodic work with everything it needs."""

    pool: AsyncConnectionPool[AsyncConnection]
    evidence: EvidenceStore
    settings: JobsSettings

    async def mark_silent_devices(self, now: datetime) -> int:
        """Mark devices whose heartbeats stopped, and tell of those that are heard again.

        Returns:
            How many devices changed.
        """
        async with self.pool.connection() as connection:
            rows = SiteRepository(connection)
            silent = await rows.mark_silent(
                heard_before=now - self.settings.device_silent_after, now=now
            )
            heard = await rows.take_heard()
            told = [
                _about_device(kind, device_id, site_id)
                for kind, devices in (
                    (EventType.DEVICE_SILENT, silent),
                    (EventType.DEVICE_HEARD_AGAIN, heard),
                )
                for device_id, site_id in sorted(devices.items())
            ]
            await WebhookOutbox(connection).put(told, now=now)
        for device_id in silent:
            log.warning("device_silent", device_id=device_id)
        for device_id in heard:
            log.info("device_heard_again", device_id=device_id)
        return len(silent) + len(heard)

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

    async def report_failed_jobs(self, now: datetime) -> int:
        """Say how many jobs were given up and wait for somebody; returns their number."""
        del now
        async with (
            self.pool.connection() as connection,
            connection.cursor(row_factory=class_row(_FailedJobs)) as cursor,
        ):
            await cursor.execute(QUERIES["count_failed_jobs"], {"rows_max": KINDS_REPORTED_MAX})
            rows = await cursor.fetchall()
        for row in rows:
            log.error("jobs_given_up", job=row.task, jobs=row.failed, newest_job_id=row.newest_id)
        return sum(row.failed for row in rows)

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


def _about_device(kind: EventType, device_id: str, site_id: str) -> Happening:
    """Something that happened to a device."""
    return Happening(
        type=kind,
        subject="device",
        subject_id=device_id,
        site_id=site_id,
        path=f"/v1/devices/{device_id}",
    )
