# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker process: which job runs when, and how the worker starts and stops."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from procrastinate import App, PsycopgConnector

from central.db.outages import translated_outages
from central.db.pool import connection_info, open_pool
from central.evidence.store import EvidenceStore
from central.ingest.release import release_quarantined
from central.jobs.work import Housekeeping
from central.settings import CentralSettings

STOP_TIMEOUT_S: Final = 8.0
EVERY_QUARTER_MINUTE: Final = "* * * * * */15"
EVERY_MINUTE: Final = "* * * * *"
EVERY_FIVE_MINUTES: Final = "*/5 * * * *"
HOURLY: Final = "17 * * * *"

log = structlog.get_logger()

Work = Callable[[datetime], Awaitable[int]]


def run_jobs(settings: CentralSettings) -> None:
    """Run the periodic jobs until SIGINT or SIGTERM.

    Raises:
        CentralUnavailableError: The database can't be reached; a supervisor starts us again.
    """
    with translated_outages():
        asyncio.run(_run(settings))


async def _run(settings: CentralSettings) -> None:
    """Open what the jobs need and run the worker."""
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-jobs",
    )
    async with open_pool(info, connections_max=settings.jobs.concurrency + 1) as pool:
        housekeeping = Housekeeping(
            pool=pool, evidence=EvidenceStore(settings.evidence_folder), settings=settings.jobs
        )
        app = App(connector=PsycopgConnector(conninfo=info))
        for name, cron, work in _schedule(housekeeping, settings, info):
            _register(app, name=name, cron=cron, work=work)
        async with app.open_async():
            log.info("jobs_started")
            with contextlib.suppress(asyncio.CancelledError):
                await app.run_worker_async(
                    concurrency=settings.jobs.concurrency,
                    shutdown_graceful_timeout=STOP_TIMEOUT_S,
                    delete_jobs="successful",
                )
            log.info("jobs_stopped")


def _schedule(
    housekeeping: Housekeeping, settings: CentralSettings, info: str
) -> tuple[tuple[str, str, Work], ...]:
    """Every job: its name, when it runs (in UTC), and what it does."""
    limits = settings.ingest.time_limits

    async def release(now: datetime) -> int:
        """Let out of quarantine what is good by now; a thread, as ingest's code is not async."""
        return await asyncio.to_thread(release_quarantined, info, limits=limits, now=now)

    return (
        ("mark_silent_devices", EVERY_QUARTER_MINUTE, housekeeping.mark_silent_devices),
        ("release_quarantined", EVERY_MINUTE, release),
        ("remove_dead_sessions", EVERY_FIVE_MINUTES, housekeeping.remove_dead_sessions),
        ("trim_feed", EVERY_FIVE_MINUTES, housekeeping.trim_feed),
        ("erase_evidence", HOURLY, housekeeping.erase_evidence),
        ("trim_heartbeats", HOURLY, housekeeping.trim_heartbeats),
    )


def _register(app: App, *, name: str, cron: str, work: Work) -> None:
    """Make a periodic task that never runs twice at a time."""

    async def run(timestamp: int) -> None:
        del timestamp  # when it was due; the work concerns the present
        rows = await work(datetime.now(UTC))
        (log.info if rows else log.debug)("job_done", job=name, rows=rows)

    task = app.task(name=name, queue="housekeeping", lock=name, queueing_lock=name)(run)
    app.periodic(cron=cron, periodic_id=name)(task)
