# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps one camera going: opens its source, hands on frames, comes back after a loss."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from threading import Event, Lock
from typing import Final

import structlog

from central.contracts.heartbeat import CameraState
from edge.capture.mailbox import CameraEnded, Mailbox
from edge.capture.types import CaptureStatus, FrameSource, SourceEnd, SourceKind
from edge.errors import CaptureError, StreamLostError
from edge.stages import Frame

RECONNECT_FIRST_S: Final = 0.5
RECONNECT_LONGEST_S: Final = 30.0
STEADY_AFTER_S: Final = 30.0
"""A connection that held this long starts the waiting times anew."""

log = structlog.get_logger(__name__)


class Pace(StrEnum):
    """How fast a recording is played."""

    FAST = "fast"
    """As fast as it can be analysed."""
    RECORDED = "recorded"
    """As fast as it was recorded, as if it were a camera."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopRules:
    """How a camera is kept going.

    Attributes:
        camera_id: The camera.
        pace: Speed of a recording; streams have their own.
        attempts_max: Connections in a row that give no frame before a stream is given up;
            ``None`` means never.
    """

    camera_id: str
    pace: Pace = Pace.FAST
    attempts_max: int | None = None


class CaptureLoop:
    """Captures one camera in the thread that calls ``run``."""

    def __init__(
        self,
        open_source: Callable[[], FrameSource],
        *,
        mailbox: Mailbox,
        rules: LoopRules,
        rng: random.Random,
    ) -> None:
        """Prepare; nothing is opened before ``run``.

        Args:
            open_source: Opens the source, again after every loss; raises ``CaptureError``.
            mailbox: Where frames go.
            rules: How to go on.
            rng: Source of jitter.
        """
        self._open_source = open_source
        self._mailbox = mailbox
        self._rules = rules
        self._rng = rng
        self._lock = Lock()
        self._status = CaptureStatus(
            camera_id=rules.camera_id,
            state=CameraState.STARTING,
            captured=0,
            dropped=0,
            unreadable=0,
            last_frame_s=None,
            problem=None,
        )
        self._frame_count: int | None = None
        mailbox.add_camera(rules.camera_id)

    def status(self) -> CaptureStatus:
        """How it goes; may be asked from any thread."""
        with self._lock:
            return self._status

    @property
    def frame_count(self) -> int | None:
        """Frames of the source; ``None`` before it was opened, or when nobody knows."""
        with self._lock:
            return self._frame_count

    def run(self, stop: Event) -> None:
        """Capture until the source ends, is given up, or the owner says stop."""
        end = SourceEnd.BROKEN
        try:
            end = self._run_until_end(stop)
        finally:
            self._mailbox.end(CameraEnded(camera_id=self._rules.camera_id, end=end))

    def _run_until_end(self, stop: Event) -> SourceEnd:
        failures = 0
        while not stop.is_set():
            started_s = time.monotonic()
            captured_before = self.status().captured
            try:
                self._capture_once(stop)
            except StreamLostError as error:
                if self.status().captured > captured_before:
                    failures = 0 if time.monotonic() - started_s > STEADY_AFTER_S else failures
                failures += 1
                self._note(state=CameraState.STALLED, problem=str(error))
                log.warning("camera_lost", camera_id=self._rules.camera_id, problem=str(error))
                if self._rules.attempts_max is not None and failures >= self._rules.attempts_max:
                    self._note(state=CameraState.FAILED, problem=str(error))
                    return SourceEnd.BROKEN
                if self.status().captured > captured_before:
                    self._mailbox.end(
                        CameraEnded(camera_id=self._rules.camera_id, end=SourceEnd.PAUSED)
                    )
                stop.wait(self._wait_s(failures))
            except CaptureError as error:
                self._note(state=CameraState.FAILED, problem=str(error))
                log.error(  # noqa: TRY400 - the message says it all
                    "camera_failed", camera_id=self._rules.camera_id, problem=str(error)
                )
                return SourceEnd.BROKEN
            else:
                break
        self._note(state=CameraState.FINISHED, problem=None)
        return SourceEnd.COMPLETE

    def _capture_once(self, stop: Event) -> None:
        """One opening of the source, to its end or loss."""
        source = self._open_source()
        try:
            with self._lock:
                self._frame_count = source.frame_count
            pace = _Pacer(self._rules.pace)
            unreadable_before = self.status().unreadable
            for frame in source.frames():
                if source.kind is not SourceKind.STREAM:
                    pace.wait_for(frame.captured_at, stop)
                if stop.is_set() or not self._hand_on(frame, source.kind, stop):
                    return
                self._note(unreadable=unreadable_before + source.unreadable)
            self._note(unreadable=unreadable_before + source.unreadable)
        finally:
            source.close()

    def _hand_on(self, frame: Frame, kind: SourceKind, stop: Event) -> bool:
        dropped = 0
        if kind is SourceKind.STREAM:
            dropped = self._mailbox.put_newest(frame)
        elif not self._mailbox.put_when_free(frame, stop=stop):
            return False
        with self._lock:
            self._status = replace(
                self._status,
                state=CameraState.RUNNING,
                captured=self._status.captured + 1,
                dropped=self._status.dropped + dropped,
                last_frame_s=time.monotonic(),
                problem=None,
            )
        return True

    def _note(
        self,
        *,
        state: CameraState | None = None,
        problem: str | None = None,
        unreadable: int | None = None,
    ) -> None:
        with self._lock:
            self._status = replace(
                self._status,
                state=self._status.state if state is None else state,
                problem=self._status.problem if state is None else problem,
                unreadable=self._status.unreadable if unreadable is None else unreadable,
            )

    def _wait_s(self, failures: int) -> float:
        grown = RECONNECT_FIRST_S * 2.0 ** min(failures - 1, 16)
        return min(grown, RECONNECT_LONGEST_S) * self._rng.uniform(0.5, 1.0)


class _Pacer:
    """Holds frames of a recording back until their time has come."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._first: tuple[datetime, float] | None = None

    def wait_for(self, captured_at: datetime, stop: Event) -> None:
        if self._pace is Pace.FAST:
            return
        if self._first is None:
            self._first = (captured_at, time.monotonic())
        first_at, started_s = self._first
        due_s = started_s + (captured_at - first_at).total_seconds()
        delay_s = due_s - time.monotonic()
        if delay_s > 0:
            stop.wait(delay_s)
