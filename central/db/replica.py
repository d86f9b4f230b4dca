# SPDX-License-Identifier: AGPL-3.0-or-later
"""Heavy questions go to a standby of the database, as long as it is there and not far behind.

A standby can't write. So what the primary has to keep about a question, the audit row of a look
above all, is committed before the standby is asked. Whatever is wrong with the standby, the primary
answers, and nobody who asks notices.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol, TypeVar

import psycopg
import psycopg_pool
import structlog
from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.errors import CentralUnavailableError, SearchTooWideError

QUERIES: Final = QueryFile.beside(__file__)
CONNECTION_WAIT_S: Final = 1.0
"""Longest wait for a connection to the standby. Higher: a busy one is used more, and one that does
not answer at all costs each first question so much."""

REST_S: Final = 5.0
"""After a failure the standby is left alone for so long. Higher: it is used again later."""

RECONNECT_TIME: Final = timedelta(seconds=2)
"""For its pool: each question after a rest begins a new attempt, which does not slow down."""

AnswerT = TypeVar("AnswerT")
Question = Callable[[AsyncConnection], Awaitable[AnswerT]]
"""Reads only, and may be asked again on another connection."""

log = structlog.get_logger()


class Answerer(StrEnum):
    """Who answered a heavy question, or why the primary did."""

    REPLICA = "replica"
    LAGGING = "lagging"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


class HeavyReads(Protocol):
    """Where heavy questions are asked."""

    async def ask(self, question: Question[AnswerT]) -> AnswerT:
        """Answer of a question that reads only."""
        ...


class OnPrimary:
    """Asks in the caller's own transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(self, question: Question[AnswerT]) -> AnswerT:
        """Answer of a question that reads only."""
        return await question(self._connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """How far the primary is."""

    lsn: str
    marked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """How far the standby is; ``replayed_at`` is the primary's time of what came last."""

    is_standby: bool
    is_level: bool
    replayed_at: datetime | None


class Replica:
    """The standby of one process.

    Args:
        pool: Connections to it.
        lag_max: How far behind it may be.
        search_time: Longest time of a question: one that was ended earlier was ended by somebody.
        note: Told who answered each question.

    Attributes:
        state: Who answered last, or would have.
        lag: How far behind it was when it was looked at last; ``None`` before.
    """

    def __init__(
        self,
        pool: psycopg_pool.AsyncConnectionPool,
        *,
        lag_max: timedelta,
        search_time: timedelta,
        note: Callable[[Answerer], None],
    ) -> None:
        self._pool = pool
        self._lag_max = lag_max
        self._search_time_s = search_time.total_seconds()
        self._note = note
        self._rests_until_s = float("-inf")
        self.state = Answerer.UNREACHABLE
        self.lag: timedelta | None = None

    async def ask(self, primary: AsyncConnection, question: Question[AnswerT]) -> AnswerT:
        """Commit what the primary has to keep, then ask the standby, or else the primary."""
        await primary.commit()
        began_s = time.monotonic()
        try:
            answered = await self._try(primary, question)
        except SearchTooWideError:
            if time.monotonic() - began_s >= self._search_time_s:
                self._tell(Answerer.REPLICA)
                raise
            self._fail(Answerer.FAILED)
            answered = None
        self._note(self.state)
        return answered[0] if answered is not None else await question(primary)

    async def look(self, primary: AsyncConnection) -> Answerer:
        """Whether the standby would be asked now."""
        await self._try(primary, _nothing)
        return self.state

    async def _try(
        self, primary: AsyncConnection, question: Question[AnswerT]
    ) -> tuple[AnswerT] | None:
        """The standby's answer; ``None`` when it must not or can't answer, see ``state``."""
        if time.monotonic() < self._rests_until_s:
            return None
        mark = await _mark(primary)
        has_begun = False
        try:
            async with self._pool.connection(timeout=CONNECTION_WAIT_S) as standby:
                if not await self._may_answer(standby, mark):
                    return None
                has_begun = True
                answer = await question(standby)
        except (
            psycopg.OperationalError,  # away, shutting down, or a conflict with what it replays
            psycopg.InterfaceError,
            psycopg_pool.PoolTimeout,
            psycopg_pool.TooManyRequests,
        ):
            self._fail(Answerer.FAILED if has_begun else Answerer.UNREACHABLE)
            return None
        self._tell(Answerer.REPLICA)
        return (answer,)

    async def _may_answer(self, standby: AsyncConnection, mark: _Mark) -> bool:
        """Whether it is a standby at all, and new enough."""
        async with standby.cursor(row_factory=class_row(_Progress)) as cursor:
            await cursor.execute(QUERIES["select_replay_progress"], {"lsn": mark.lsn})
            progress = await cursor.fetchone()
        if progress is None or not progress.is_standby:
            self._fail(Answerer.FAILED)
            return False
        if progress.is_level:
            self.lag = timedelta(0)
        elif progress.replayed_at is None:
            self.lag = None
        else:
            self.lag = max(timedelta(0), mark.marked_at - progress.replayed_at)
        if self.lag is None or self.lag > self._lag_max:
            self._tell(Answerer.LAGGING)
            return False
        return True

    def _fail(self, state: Answerer) -> None:
        self._rests_until_s = time.monotonic() + REST_S
        self._tell(state)

    def _tell(self, state: Answerer) -> None:
        """Remember who answers, and log when that changes."""
        if state is self.state:
            return
        self.state = state
        if state is Answerer.REPLICA:
            log.info("replica_answers")
        else:
            log.warning("replica_left_out", reason=state.value)


class OnReplica:
    """Asks the standby for one request, whose transaction on the primary is committed first."""

    def __init__(self, replica: Replica, primary: AsyncConnection) -> None:
        self._replica = replica
        self._primary = primary

    async def ask(self, question: Question[AnswerT]) -> AnswerT:
        """Answer of a question that reads only."""
        return await self._replica.ask(self._primary, question)


async def _mark(primary: AsyncConnection) -> _Mark:
    """How far the primary is; no transaction stays open while the standby works."""
    async with primary.cursor(row_factory=class_row(_Mark)) as cursor:
        await cursor.execute(QUERIES["select_mark"])
        mark = await cursor.fetchone()
    await primary.commit()
    if mark is None:
        raise CentralUnavailableError("the database told no place")  # a row without a table
    return mark


async def _nothing(standby: AsyncConnection) -> None:
    """A question that asks nothing."""
    del standby
