# SPDX-License-Identifier: AGPL-3.0-or-later
"""Puts jobs into the queue within the caller's transaction: no commit, no job, and the reverse.

Procrastinate's own ``defer`` uses connections of its own, so a job could start before the rows
that it is about are there, or survive a rollback. Its queue is a table, and this uses its
documented SQL function.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile

QUERIES: Final = QueryFile.beside(__file__)
QUEUE: Final = "work"
WEBHOOK_QUEUE: Final = "webhooks"
MAIL_QUEUE: Final = "mail"
"""Work that waits for machines of others; each has places of its own: nothing else waits for it."""

PRIORITY_LIVE: Final = 100
"""Somebody waits in front of a page. Periodic work has priority 0."""

JobArgument = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work to be done after the commit.

    Attributes:
        task: Name under which the worker knows it; ``central.jobs`` lists them.
        queue: Which workers do it.
        arguments: Ids, never personal data: the queue's rows are read by people.
        priority: Higher runs earlier.
        lock: Jobs with the same lock run one after the other, in the order they were queued.
        due_at: Not before this aware time; ``None`` for at once.
    """

    task: str
    queue: str = QUEUE
    arguments: Mapping[str, JobArgument] = field(default_factory=dict)
    priority: int = 0
    lock: str | None = None
    due_at: datetime | None = None


def defer(connection: Connection, job: Job) -> None:
    """Queue a job in the caller's transaction."""
    connection.execute(QUERIES["defer_job"], _parameters(job))


async def defer_async(connection: AsyncConnection, job: Job) -> None:
    """Queue a job in the caller's transaction."""
    await connection.execute(QUERIES["defer_job"], _parameters(job))


def _parameters(job: Job) -> dict[str, object]:
    return {
        "queue": job.queue,
        "task": job.task,
        "priority": job.priority,
        "lock": job.lock,
        "arguments": Jsonb(dict(job.arguments)),
        "due_at": job.due_at,
    }
