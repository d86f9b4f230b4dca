# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every source of pictures has in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from central.contracts.heartbeat import CameraState
from edge.stages import Frame


class SourceKind(StrEnum):
    """What a source is, which decides how its pictures hang together."""

    RECORDING = "recording"
    """A video file: every frame counts, the end is an end."""
    PICTURES = "pictures"
    """Single pictures in order: each may show another vehicle."""
    STREAM = "stream"
    """A camera: only the newest frame counts, an end is a fault."""


class SourceEnd(StrEnum):
    """How a source came to its end."""

    COMPLETE = "complete"
    BROKEN = "broken"
    PAUSED = "paused"
    """A live camera is lost for now; it may come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRules:
    """How a source is read.

    Attributes:
        camera_id: Camera that its frames belong to.
        every: Give every n-th frame; 1 gives all.
        started_at: Aware UTC time of the first frame of a recording or folder.
        pictures_per_s: Rate at which a folder's pictures were taken; ``None`` means that they
            are single pictures, put one second apart.
        max_fps: Most frames per second given of a stream.
    """

    camera_id: str
    every: int = 1
    started_at: datetime
    pictures_per_s: float | None = None
    max_fps: float = 12.0

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError("every must be at least 1")
        if self.started_at.tzinfo is None:
            raise ValueError("started_at must be aware")


class FrameSource(Protocol):
    """Frames of one camera, in order."""

    @property
    def kind(self) -> SourceKind:
        """What it is."""

    @property
    def frame_count(self) -> int | None:
        """How many frames it has, before ``every``; ``None`` when nobody knows."""

    @property
    def unreadable(self) -> int:
        """Frames or pictures passed over so far because they could not be read."""

    def frames(self) -> Iterator[Frame]:
        """All frames; may be called once.

        Raises:
            CaptureError: The source can't be read (any more); frames given before are good.
        """

    def close(self) -> None:
        """Give back what the source holds; a second call does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureStatus:
    """How the capture of one camera goes.

    Attributes:
        camera_id: The camera.
        state: What it is doing.
        captured: Frames given on since the start.
        dropped: Frames of a live camera that a newer one replaced before they were analysed.
        unreadable: Frames or pictures that could not be read.
        last_frame_s: Monotonic time of the newest frame; ``None`` before the first.
        problem: What is wrong, in one sentence; ``None`` when nothing is.
    """

    camera_id: str
    state: CameraState
    captured: int
    dropped: int
    unreadable: int
    last_frame_s: float | None
    problem: str | None
