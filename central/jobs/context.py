# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a job gets to work with, and what kinds of jobs there are."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from central.settings import CentralSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """The process that runs the job.

    Attributes:
        clock: Tells the aware time.
    """

    pool: AsyncConnectionPool[AsyncConnection]
    settings: CentralSettings
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """The aware time, in UTC."""
        return self.clock()

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection with one transaction, committed at the end of the block."""
        return self.pool.connection()


WorkTask = Callable[..., Awaitable[None]]
"""Takes the context and the job's arguments by name, opens its own transactions, and may be run
again after a crash: what was done once must not be done twice."""

PeriodicTask = Callable[[JobContext], Awaitable[int]]
"""Does what has become due, and returns how many rows it touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """Work that comes back; it never runs twice at a time.

    Attributes:
        cron: When, in UTC: minute, hour, day, month, weekday and, if given, second.
    """

    name: str
    cron: str
    run: PeriodicTask
