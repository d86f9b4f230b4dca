# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plays one source through the whole device and tells how it went."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock
from typing import IO, TYPE_CHECKING, Final

from edge.app.device import Device
from edge.app.messages import event_line
from edge.app.plans import CameraPlan
from edge.capture.types import SourceEnd
from edge.stages import Passage

if TYPE_CHECKING:
    from edge.app.engine import CameraRun

POLL_S: Final = 0.2
PASSAGES_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayProgress:
    """How far a replay is.

    Attributes:
        analysed: Frames analysed.
        position: Frames of the source that are behind us, those left out included.
        total: Frames of the source; ``None`` when nobody knows.
        passages: Passages so far.
        tag_reads: Tag reads so far.
        waiting_events: Events not yet acknowledged; 0 offline.
        waiting_pictures: Pictures not yet uploaded; 0 offline or without an api.
    """

    analysed: int
    position: int
    total: int | None
    passages: int
    tag_reads: int
    waiting_events: int
    waiting_pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """How a replay went.

    Attributes:
        passages: What passed, in the order of sending; at most ``PASSAGES_KEPT``.
        count: Number of all passages.
        tag_reads: Number of tag reads; ``None`` when no reader was asked.
        reader_problems: Why readers could not be read at the end, one sentence each.
        frames: Frames analysed.
        unreadable: Frames or pictures that could not be read.
        duration_s: Time that analysis took.
        problem: Why the source broke, in one sentence; ``None`` when it did not.
        was_interrupted: Whether somebody said stop.
        is_online: Whether passages were sent at all.
        waiting_events: Events that the centre has not acknowledged.
        waiting_pictures: Pictures that it does not have.
        uplink_problem: Why, as far as the device knows.
    """

    passages: tuple[Passage, ...]
    count: int
    tag_reads: int | None
    reader_problems: tuple[str, ...]
    frames: int
    unreadable: int
    duration_s: float
    problem: str | None
    was_interrupted: bool
    is_online: bool
    waiting_events: int
    waiting_pictures: int
    uplink_problem: str | None


class PassageLog:
    """Keeps the passages of a replay and writes them to the events file as they come."""

    def __init__(self, events_file: IO[str] | None) -> None:
        self._file = events_file
        self._lock = Lock()
        self._passages: list[Passage] = []
        self.count = 0

    def take(self, _plan: CameraPlan, passage: Passage) -> None:
        """A sink for the device."""
        with self._lock:
            self.count += 1
            if len(self._passages) < PASSAGES_KEPT:
                self._passages.append(passage)
            if self._file is not None:
                self._file.write(event_line(passage) + "\n")
                self._file.flush()

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What was kept."""
        with self._lock:
            return tuple(self._passages)


class Replay:
    """One source, one camera, from first to last frame."""

    def __init__(self, device: Device, *, passages: PassageLog, acknowledge_limit_s: float) -> None:
        """Prepare.

        Args:
            device: A device with exactly one camera.
            passages: The sink that the device got.
            acknowledge_limit_s: Longest wait for the centre after the last frame.
        """
        self._device = device
        self._passages = passages
        self._limit_s = acknowledge_limit_s
        (self._camera,) = device.engine.cameras

    def run(self, interrupted: Event, *, show: Callable[[ReplayProgress], None]) -> ReplayResult:
        """Play to the end, then wait for the centre.

        Args:
            interrupted: Ends the replay early when set.
            show: Called a few times a second with how far it is.

        Raises:
            Exception: Whatever killed a thread.
        """
        started_s = time.monotonic()
        self._device.start()
        try:
            while self._device.engine.is_running and not interrupted.is_set():
                self._raise_crash()
                show(self._progress())
                interrupted.wait(POLL_S)
            self._device.stop_looking()
            duration_s = time.monotonic() - started_s
            self._wait_for_centre(interrupted, show)
            self._raise_crash()
            return self._result(duration_s, was_interrupted=interrupted.is_set())
        finally:
            self._device.stop()

    def _wait_for_centre(self, interrupted: Event, show: Callable[[ReplayProgress], None]) -> None:
        deadline_s = time.monotonic() + self._limit_s
        while time.monotonic() < deadline_s and not interrupted.is_set():
            self._raise_crash()
            progress = self._progress()
            show(progress)
            if progress.waiting_events == 0 and progress.waiting_pictures == 0:
                return
            interrupted.wait(POLL_S)

    def _raise_crash(self) -> None:
        if self._device.crash is not None:
            raise self._device.crash

    def _waiting(self) -> tuple[int, int]:
        """Events and pictures that the centre does not have."""
        uplink = self._device.uplink
        if uplink is None:
            return 0, 0
        state = uplink.outbox.state()
        return state.events, 0 if uplink.upload_status() is None else state.pictures

    def _progress(self) -> ReplayProgress:
        run: CameraRun = self._camera
        events, pictures = self._waiting()
        status = run.capture
        return ReplayProgress(
            analysed=run.analysed,
            position=min(
                run.analysed * run.plan.rules.every + status.unreadable,
                run.loop.frame_count or 2**62,
            ),
            total=run.loop.frame_count,
            passages=self._passages.count,
            tag_reads=self._device.readers.tag_reads,
            waiting_events=events,
            waiting_pictures=pictures,
        )

    def _result(self, duration_s: float, *, was_interrupted: bool) -> ReplayResult:
        events, pictures = self._waiting()
        run = self._camera
        status = run.capture
        readers = self._device.readers
        return ReplayResult(
            passages=self._passages.passages,
            count=self._passages.count,
            tag_reads=readers.tag_reads if readers.count else None,
            reader_problems=readers.problems,
            frames=run.analysed,
            unreadable=status.unreadable,
            duration_s=duration_s,
            problem=status.problem if run.end is SourceEnd.BROKEN else None,
            was_interrupted=was_interrupted,
            is_online=self._device.uplink is not None,
            waiting_events=events,
            waiting_pictures=pictures,
            uplink_problem=self._uplink_problem(),
        )

    def _uplink_problem(self) -> str | None:
        uplink = self._device.uplink
        if uplink is None:
            return None
        upload = uplink.upload_status()
        return uplink.publish_status().problem or (None if upload is None else upload.problem)
