# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hands frames from capturing threads to the one thread that analyses them.

Bounded per camera: a recording waits for its place, a live camera's newest frame replaces the one
that is still waiting.
"""

from collections import deque
from dataclasses import dataclass
from threading import Condition, Event
from typing import Final

from edge.capture.types import SourceEnd
from edge.stages import Frame

WAITING_FRAMES_MAX: Final = 3
STOP_CHECK_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraEnded:
    """A camera gives no more frames."""

    camera_id: str
    end: SourceEnd


class Mailbox:
    """Frames of several cameras, taken in turn."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: dict[str, deque[Frame | CameraEnded]] = {}
        self._turn: deque[str] = deque()

    def add_camera(self, camera_id: str) -> None:
        """Make a place for a camera before its capture starts."""
        with self._changed:
            self._waiting[camera_id] = deque()
            self._turn.append(camera_id)

    def put_when_free(self, frame: Frame, *, stop: Event) -> bool:
        """Wait for a place; false when told to stop before there was one."""
        with self._changed:
            waiting = self._waiting[frame.camera_id]
            while len(waiting) >= WAITING_FRAMES_MAX:
                if stop.is_set():
                    return False
                self._changed.wait(STOP_CHECK_S)
            waiting.append(frame)
            self._changed.notify_all()
            return True

    def put_newest(self, frame: Frame) -> int:
        """Replace the frames that wait; returns how many there were.

        Word of a pause stays before the frame: what was in view before it has passed.
        """
        with self._changed:
            waiting = self._waiting[frame.camera_id]
            ended = next((item for item in waiting if isinstance(item, CameraEnded)), None)
            replaced = sum(isinstance(item, Frame) for item in waiting)
            waiting.clear()
            waiting.extend(item for item in (ended, frame) if item is not None)
            self._changed.notify_all()
            return replaced

    def end(self, ended: CameraEnded) -> None:
        """Tell that a camera gives no more; what waits is still taken first."""
        with self._changed:
            self._waiting[ended.camera_id].append(ended)
            self._changed.notify_all()

    def take(self, *, timeout_s: float) -> Frame | CameraEnded | None:
        """The next frame, cameras in turn; ``None`` when none came in time."""
        with self._changed:
            self._changed.wait_for(self._has_any, timeout=timeout_s)
            for _ in range(len(self._turn)):
                camera_id = self._turn[0]
                self._turn.rotate(-1)
                if self._waiting[camera_id]:
                    taken = self._waiting[camera_id].popleft()
                    self._changed.notify_all()
                    return taken
            return None

    def _has_any(self) -> bool:
        return any(self._waiting.values())
