# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue around a job: how it fails, when it is tried again, and who picks up after a crash."""

import asyncio
import random
import traceback
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from psycopg import AsyncConnection, OperationalError
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from central.db.queries import QueryFile

QUERIES: Final = QueryFile.beside(__file__)

RETRIES_MAX: Final = 5
RETRY_GROWTH: Final = 4
"""Waits are about 1, 4, 16, 64 and 256 s. Higher: more patience, later results."""

RETRY_JITTER: Final = 0.25
"""Waits are up to this share longer, so that what failed together does not return together."""

HEARTBEAT_S: Final = 5.0
DEAD_AFTER_S: Final = 20.0
"""A worker that was not heard of for so long is dead, and its jobs are given to others. Lower:
quicker after a crash, and a worker that only hangs sees its job done twice."""

PUT_BACK_EVERY: Final = timedelta(seconds=10)
PUT_BACK_AT_A_TIME_MAX: Final = 500
FRAMES_LOGGED_MAX: Final = 8

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _StalledJob:
    """A job that a dead worker held."""

    id: int
    task: str
    attempts: int


class JobFailedError(Exception):
    """A job failed. Says where and never why: the text of an error may hold personal data."""


class GrowingWaits(BaseRetryStrategy):
    """Tries a failed job again, some times and ever later."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again; ``None`` when it stays failed."""
        del exception
        if job.attempts >= RETRIES_MAX:
            return None
        spread = random.uniform(1, 1 + RETRY_JITTER)  # noqa: S311 - no secret
        wait_ms = round(1000 * spread * RETRY_GROWTH**job.attempts)
        return RetryDecision(retry_in={"milliseconds": wait_ms})


def failure_of(error: Exception, job: Job) -> JobFailedError:
    """Log a failed job without the error's text, and give the error to raise in its place."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED_MAX:]
    log.warning(
        "job_attempt_failed",
        job=job.task_name,
        job_id=job.id,
        attempt=job.attempts + 1,
        kind=type(error).__name__,
        where=[f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames],
    )
    return JobFailedError(f"{job.task_name}: {type(error).__name__}")


async def put_back_stalled(connection: AsyncConnection) -> int:
    """Queue the jobs of dead workers again, and return how many.

    They are locked until the caller's commit: of two processes that look, one puts a job back,
    and the other does not put it back once more when somebody runs it already. A job that took
    down its worker every time stays failed in the end.
    """
    async with connection.cursor(row_factory=class_row(_StalledJob)) as cursor:
        await cursor.execute(
            QUERIES["lock_stalled_jobs"],
            {"dead_after_s": DEAD_AFTER_S, "rows_max": PUT_BACK_AT_A_TIME_MAX},
        )
        stalled = await cursor.fetchall()
    for job in stalled:
        if job.attempts >= RETRIES_MAX:
            await connection.execute(QUERIES["give_up_job"], {"job_id": job.id})
            log.error("job_failed", job=job.task, job_id=job.id, kind="worker_died")
        else:
            await _put_back(connection, job)
    return len(stalled)


async def _put_back(connection: AsyncConnection, job: _StalledJob) -> None:
    """Queue one job again; a periodic one goes when the next of its kind waits already."""
    try:
        async with connection.transaction():
            await connection.execute(QUERIES["put_back_job"], {"job_id": job.id})
    except UniqueViolation:  # of the queueing lock
        await connection.execute(QUERIES["remove_job"], {"job_id": job.id})
        log.warning("job_left_to_next", job=job.task, job_id=job.id)
    else:
        log.warning("job_put_back", job=job.task, job_id=job.id)


async def keep_putting_back(pool: AsyncConnectionPool[AsyncConnection]) -> None:
    """Look for jobs of dead workers until cancelled.

    No job of the queue itself: a job that a dead worker held could never put itself back.
    """
    while True:
        try:
            async with pool.connection() as connection:
                await put_back_stalled(connection)
        except (OperationalError, PoolTimeout) as error:
            log.warning("stalled_jobs_not_looked_for", kind=type(error).__name__)
        await asyncio.sleep(PUT_BACK_EVERY.total_seconds())
