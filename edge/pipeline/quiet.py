# SPDX-License-Identifier: AGPL-3.0-or-later
"""Spares the detector the pictures of an empty lane: most of a gate camera's day shows nothing.

A frame is passed over only when the last look found nothing at all and no part of the picture has
changed since; noise, rain and slow changes of light make it look again, never the other way round.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.stages import Detected, Frame

THUMBNAIL_WIDTH: Final = 80
THUMBNAIL_HEIGHT: Final = 45
SAMPLED_EVERY_PX: Final = 4
CHANGE_MIN: Final = 5.0
"""Change of a part's brightness, of 255, that is worth a look. Higher saves more work and misses
faint things for longer."""
LONGEST_REST: Final = timedelta(seconds=0.5)
"""Even an unchanged picture is looked at this often. Higher saves more and finds later what was
missed."""


class Look(Protocol):
    """Finds everything in a frame."""

    def detect(self, frame: Frame) -> Detected:
        """Everything in the frame."""


class QuietSceneDetection:
    """Looks at a camera's frames, but not twice at the same empty picture."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._empty: NDArray[np.float32] | None = None
        self._looked_at: datetime | None = None
        self.passed_over = 0

    def detect(self, frame: Frame) -> Detected:
        """Everything in the frame; nothing at once where nothing has changed."""
        thumbnail = _thumbnail(frame)
        if self._is_still_empty(frame, thumbnail):
            self.passed_over += 1
            return Detected(frame=frame, detections=())
        detected = self._look.detect(frame)
        self._empty = None if detected.detections else thumbnail
        self._looked_at = frame.captured_at
        return detected

    def _is_still_empty(self, frame: Frame, thumbnail: NDArray[np.float32]) -> bool:
        if self._empty is None or self._looked_at is None:
            return False
        rest = frame.captured_at - self._looked_at
        if not timedelta(0) <= rest < LONGEST_REST:
            return False
        return float(np.abs(thumbnail - self._empty).max()) < CHANGE_MIN


def _thumbnail(frame: Frame) -> NDArray[np.float32]:
    """Brightness of the parts of a picture, from its green channel."""
    sampled = np.ascontiguousarray(
        frame.image[::SAMPLED_EVERY_PX, ::SAMPLED_EVERY_PX, 1], dtype=np.float32
    )
    size = (THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT)
    return np.asarray(cv2.resize(sampled, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
