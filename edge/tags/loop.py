# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps one tag reader going: connects, listens, groups, comes back after a loss."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import Final

import structlog

from central.contracts.heartbeat import ReaderState
from edge.errors import ReaderError
from edge.stages import TagRead
from edge.tags.grouping import TagGrouping
from edge.tags.types import GroupingRules, TagReader

POLL_S: Final = 0.1
"""How long a tag may wait after its time is over; lower wakes the processor up more often."""
RECONNECT_FIRST_S: Final = 0.5
RECONNECT_LONGEST_S: Final = 30.0
STEADY_AFTER_S: Final = 30.0
"""A connection that held this long starts the waiting times anew."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderStatus:
    """How a reader does; counts grow since the process started.

    Attributes:
        answers: Answers heard, those left out included.
        ignored: Answers left out, for one of the reasons of ``TagGrouping.ignored``.
        tag_reads: Tags told.
        losses: Connections that were lost or could not be made.
        last_answer_s: Monotonic time of the last answer; ``None`` before the first.
        problem: Why it is lost, in one sentence; ``None`` while all is well.
    """

    reader_id: str
    state: ReaderState = ReaderState.STARTING
    answers: int = 0
    ignored: int = 0
    tag_reads: int = 0
    losses: int = 0
    last_answer_s: float | None = None
    problem: str | None = None


class TagLoop:
    """Reads one reader in the thread that calls ``run``."""

    def __init__(
        self,
        open_reader: Callable[[Event], TagReader],
        *,
        rules: GroupingRules,
        sink: Callable[[TagRead], None],
        rng: random.Random,
    ) -> None:
        """Prepare; nothing is opened before ``run``.

        Args:
            open_reader: Connects, again after every loss, and gives up when the event that it
                gets is set; raises ``ReaderError``.
            rules: When answers are one passage.
            sink: Takes every tag read; blocks while there is no room for it.
            rng: Source of jitter.
        """
        self._open_reader = open_reader
        self._reader_id = rules.reader_id
        self._grouping = TagGrouping(rules)
        self._sink = sink
        self._rng = rng
        self._lock = Lock()
        self._status = ReaderStatus(reader_id=rules.reader_id)

    def status(self) -> ReaderStatus:
        """How it goes; may be asked from any thread."""
        with self._lock:
            return self._status

    def run(self, stop: Event) -> None:
        """Read until the owner says stop; tags that are passing then are told."""
        failures = 0
        try:
            while not stop.is_set():
                started_s = time.monotonic()
                try:
                    self._read_once(stop)
                except ReaderError as error:
                    if stop.is_set():
                        break
                    was_steady = time.monotonic() - started_s > STEADY_AFTER_S
                    failures = 1 if was_steady else failures + 1
                    self._note_loss(error)
                    self._tell(self._grouping.finish())
                    stop.wait(self._wait_s(failures))
        finally:
            self._tell(self._grouping.finish())

    def _read_once(self, stop: Event) -> None:
        """One connection, to its loss or the end."""
        reader = self._open_reader(stop)
        self._note(state=ReaderState.RUNNING)
        log.info("reader_connected", reader_id=self._reader_id)
        try:
            while not stop.is_set():
                answers = reader.poll(timeout_s=POLL_S)
                now_s = time.monotonic()
                due = self._grouping.add(answers, now_s=now_s)
                if answers:
                    self._count(len(answers), now_s=now_s)
                self._tell(due)
        finally:
            reader.close()

    def _tell(self, tag_reads: Iterable[TagRead]) -> None:
        for tag_read in tag_reads:
            self._sink(tag_read)
            with self._lock:
                self._status = replace(self._status, tag_reads=self._status.tag_reads + 1)

    def _count(self, answers: int, *, now_s: float) -> None:
        with self._lock:
            self._status = replace(
                self._status,
                answers=self._status.answers + answers,
                ignored=self._grouping.ignored,
                last_answer_s=now_s,
            )

    def _note(self, *, state: ReaderState) -> None:
        with self._lock:
            self._status = replace(self._status, state=state, problem=None)

    def _note_loss(self, error: ReaderError) -> None:
        log.warning("reader_lost", reader_id=self._reader_id, problem=str(error))
        with self._lock:
            self._status = replace(
                self._status,
                state=ReaderState.LOST,
                losses=self._status.losses + 1,
                problem=str(error),
            )

    def _wait_s(self, failures: int) -> float:
        grown = RECONNECT_FIRST_S * 2.0 ** min(failures - 1, 16)
        return min(grown, RECONNECT_LONGEST_S) * self._rng.uniform(0.5, 1.0)
