# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs the tag readers of a device: a thread for each."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from threading import Event

from edge.app.threads import ThreadGroup
from edge.health.heartbeat import ReaderReading
from edge.settings import ReaderSettings
from edge.stages import TagRead
from edge.tags.llrp import LlrpAccess, LlrpReader
from edge.tags.loop import TagLoop
from edge.tags.types import GroupingRules


class Readers:
    """All tag readers of this process."""

    def __init__(
        self,
        readers: Sequence[ReaderSettings],
        *,
        sink: Callable[[TagRead], None],
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        """Prepare; nothing is connected before ``start``.

        Args:
            readers: Their settings.
            sink: Takes every tag read in the thread of its reader.
            clock: Gives aware UTC time.
            rng: Source of jitter.
        """
        self._threads = ThreadGroup()
        self._loops = {
            reader.id: TagLoop(
                partial(_connect, _access(reader), clock),
                rules=_rules(reader),
                sink=sink,
                rng=rng,
            )
            for reader in readers
        }

    @property
    def count(self) -> int:
        """Number of readers."""
        return len(self._loops)

    @property
    def tag_reads(self) -> int:
        """Tags told so far by all readers."""
        return sum(loop.status().tag_reads for loop in self._loops.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """Why readers are lost, one sentence each; empty while all is well."""
        found = (loop.status().problem for loop in self._loops.values())
        return tuple(problem for problem in found if problem is not None)

    @property
    def crash(self) -> Exception | None:
        """What killed a thread; ``None`` while all is well."""
        return self._threads.crash

    def start(self) -> None:
        """Start all threads."""
        for reader_id, loop in self._loops.items():
            self._threads.start(f"reader-{reader_id}", loop.run)

    def signal_stop(self) -> None:
        """Tell all threads to end, without waiting."""
        self._threads.signal_stop()

    def stop(self, *, limit_s: float) -> tuple[str, ...]:
        """Stop all threads; tags that are passing are told. Returns threads that hang."""
        return self._threads.stop(limit_s=limit_s)

    def readings(self) -> list[ReaderReading]:
        """State of every reader for the heartbeat."""
        return [
            ReaderReading(
                reader_id=status.reader_id,
                state=status.state,
                answers=status.answers,
                tag_reads=status.tag_reads,
                losses=status.losses,
                last_answer_s=status.last_answer_s,
            )
            for status in (loop.status() for loop in self._loops.values())
        ]


def _connect(access: LlrpAccess, clock: Callable[[], datetime], stop: Event) -> LlrpReader:
    return LlrpReader(access, clock=clock, stop=stop)


def _access(reader: ReaderSettings) -> LlrpAccess:
    return LlrpAccess(
        host=reader.host,
        port=reader.port,
        antennas=tuple(antenna.number for antenna in reader.antennas),
        keepalive=reader.keepalive,
    )


def _rules(reader: ReaderSettings) -> GroupingRules:
    return GroupingRules(
        reader_id=reader.id,
        lanes={antenna.number: antenna.lane for antenna in reader.antennas},
        rssi_min_dbm=reader.rssi_min_dbm,
        gap=reader.gap,
        told_after=reader.told_after,
        open_max=reader.open_max,
    )
