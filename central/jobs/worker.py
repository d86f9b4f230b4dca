# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker process: which job runs when, and how the worker starts and stops."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate import JobContext as QueueContext
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from central.db.deferring import MAIL_QUEUE, QUEUE, WEBHOOK_QUEUE, JobArgument
from central.db.outages import translated_outages
from central.db.pool import POOL_WAIT_S, connection_info, open_pool
from central.evidence.store import EvidenceStore
from central.ingest.release import release_quarantined
from central.jobs.context import JobContext, Periodic, WorkTask
from central.jobs.queue import (
    DEAD_AFTER_S,
    HEARTBEAT_S,
    GrowingWaits,
    failure_of,
    keep_putting_back,
)
from central.jobs.tasks import PERIODIC, TASKS
from central.jobs.work import Housekeeping
from central.settings import CentralSettings

STOP_TIMEOUT_S: Final = 7.0
SENDING_STOP_TIMEOUT_S: Final = 1.0
"""What is being sent then is cut off, and sent again later."""

WEBHOOKS_AT_A_TIME: Final = 8
"""Receivers that are waited for at a time, beside all other jobs. Higher: more of them may hang
before the others are told later."""

MAILS_AT_A_TIME: Final = 4
"""E-mails that are handed over at a time, each with a connection to the database. Higher: a slow
mail server is through sooner; all of them hang when it does."""

POLL_S: Final = 0.2
"""A job is noticed at once by its notification; this is for those that become due, that waited
for a lock, or whose notification came while the queue was being read."""

CONNECTIONS_BESIDE: Final = 3
"""For what is read and noted between two messages of webhooks, and for housekeeping in threads."""

HOUSEKEEPING_QUEUE: Final = "housekeeping"
EVERY_QUARTER_MINUTE: Final = "* * * * * */15"
EVERY_MINUTE: Final = "* * * * *"
EVERY_FIVE_MINUTES: Final = "*/5 * * * *"
HOURLY: Final = "17 * * * *"

log = structlog.get_logger()


def run_jobs(
    settings: CentralSettings,
    *,
    tasks: Mapping[str, WorkTask] = TASKS,
    periodic: Sequence[Periodic] = PERIODIC,
) -> None:
    """Run jobs until SIGINT or SIGTERM.

    Args:
        settings: Settings of the process.
        tasks: Work that may be deferred, by name.
        periodic: Work that comes back, beside the centre's own housekeeping.

    Raises:
        CentralUnavailableError: The database can't be reached; a supervisor starts us again.
    """
    with translated_outages():
        asyncio.run(_run(settings, tasks=tasks, periodic=periodic))


async def _run(
    settings: CentralSettings, *, tasks: Mapping[str, WorkTask], periodic: Sequence[Periodic]
) -> None:
    """Open what the jobs need and run the worker."""
    info = connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-jobs",
    )
    async with open_pool(
        info,
        connections_max=settings.jobs.concurrency + MAILS_AT_A_TIME + CONNECTIONS_BESIDE,
    ) as pool:
        context = JobContext(pool=pool, settings=settings, clock=partial(datetime.now, UTC))
        app = App(connector=PsycopgConnector(conninfo=info, timeout=POOL_WAIT_S))
        for name, work in tasks.items():
            _register(app, context, name=name, work=work)
        for each in (*_housekeeping(context, info), *periodic):
            _register_periodic(app, context, each)
        async with app.open_async(), _putting_back(pool):
            log.info("jobs_started")
            await _work(app, jobs_at_a_time=settings.jobs.concurrency)
            log.info("jobs_stopped")


async def _work(app: App, *, jobs_at_a_time: int) -> None:
    """Work until SIGTERM, or until the database is gone; what waits for others has own places."""
    places = (
        ((QUEUE, HOUSEKEEPING_QUEUE), jobs_at_a_time, STOP_TIMEOUT_S),
        ((WEBHOOK_QUEUE,), WEBHOOKS_AT_A_TIME, SENDING_STOP_TIMEOUT_S),
        ((MAIL_QUEUE,), MAILS_AT_A_TIME, SENDING_STOP_TIMEOUT_S),
    )
    workers = [
        asyncio.create_task(
            _worker(app, queues, at_a_time, stop_timeout_s=stop_timeout_s), name=queues[0]
        )
        for queues, at_a_time, stop_timeout_s in places
    ]
    try:
        await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in workers:
            each.cancel()
        ends = await asyncio.gather(*workers, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _worker(
    app: App, queues: Sequence[str], jobs_at_a_time: int, *, stop_timeout_s: float
) -> None:
    """Work on some queues; the ones with most of the work hear of SIGTERM."""
    await app.run_worker_async(
        queues=[*queues],  # the driver writes no other sequence as an array
        concurrency=jobs_at_a_time,
        fetch_job_polling_interval=POLL_S,
        shutdown_graceful_timeout=stop_timeout_s,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=DEAD_AFTER_S,
        delete_jobs="successful",
        install_signal_handlers=QUEUE in queues,
    )


@contextlib.asynccontextmanager
async def _putting_back(pool: AsyncConnectionPool[AsyncConnection]) -> AsyncIterator[None]:
    """Look after the jobs of dead workers meanwhile."""
    keeper = asyncio.create_task(keep_putting_back(pool), name="put-back-stalled")
    try:
        yield
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


def _housekeeping(context: JobContext, info: str) -> tuple[Periodic, ...]:
    """The centre's own periodic work."""
    settings = context.settings
    keeper = Housekeeping(
        pool=context.pool,
        evidence=EvidenceStore(settings.evidence_folder),
        settings=settings.jobs,
    )

    async def release(now: datetime) -> int:
        """Let out of quarantine what is good by now; a thread, as ingest's code is not async."""
        limits = settings.ingest.time_limits
        return await asyncio.to_thread(release_quarantined, info, limits=limits, now=now)

    schedule: tuple[tuple[str, str, Callable[[datetime], Awaitable[int]]], ...] = (
        ("mark_silent_devices", EVERY_QUARTER_MINUTE, keeper.mark_silent_devices),
        ("release_quarantined", EVERY_MINUTE, release),
        ("remove_dead_sessions", EVERY_FIVE_MINUTES, keeper.remove_dead_sessions),
        ("trim_feed", EVERY_FIVE_MINUTES, keeper.trim_feed),
        ("report_failed_jobs", EVERY_FIVE_MINUTES, keeper.report_failed_jobs),
        ("erase_evidence", HOURLY, keeper.erase_evidence),
        ("trim_heartbeats", HOURLY, keeper.trim_heartbeats),
    )
    return tuple(
        Periodic(name=name, cron=cron, run=partial(_at_present, work))
        for name, cron, work in schedule
    )


async def _at_present(work: Callable[[datetime], Awaitable[int]], context: JobContext) -> int:
    """Do work that wants to know the time only."""
    return await work(context.now())


def _register(app: App, context: JobContext, *, name: str, work: WorkTask) -> None:
    """Make a task that features defer by its name."""

    async def run(queued: QueueContext, /, **arguments: JobArgument) -> None:
        try:
            await work(context, **arguments)
        except Exception as error:  # noqa: BLE001 - the top of a job
            raise failure_of(error, queued.job) from None

    app.task(name=name, queue=QUEUE, pass_context=True, retry=GrowingWaits())(run)


def _register_periodic(app: App, context: JobContext, periodic: Periodic) -> None:
    """Make a periodic task that never runs twice at a time."""
    name = periodic.name

    async def run(queued: QueueContext, timestamp: int) -> None:
        del timestamp  # when it was due; the work concerns the present
        try:
            rows = await periodic.run(context)
        except Exception as error:  # noqa: BLE001 - the top of a job
            raise failure_of(error, queued.job) from None
        (log.info if rows else log.debug)("job_done", job=name, rows=rows)

    task = app.task(
        name=name, queue=HOUSEKEEPING_QUEUE, lock=name, queueing_lock=name, pass_context=True
    )(run)
    app.periodic(cron=periodic.cron, periodic_id=name)(task)
