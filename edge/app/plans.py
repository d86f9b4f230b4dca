# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is to be done with one camera, made from settings or from a command line."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from central.contracts.event import ClockSource
from edge.capture.loop import Pace
from edge.capture.opening import open_source
from edge.capture.stream import is_stream
from edge.capture.types import FrameSource, SourceKind, SourceRules
from edge.pipeline.detection import Region
from edge.settings import CameraMode, CameraSettings, DeviceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlan:
    """One camera and how it is looked at.

    Attributes:
        camera_id: Name at the centre.
        mode: What it looks at.
        source: Address, file or folder.
        kind: What the source is.
        lane: Lane that every passage gets; ``None`` when it has none.
        region: Watched part of the picture.
        rules: How the source is read.
        starts_when_opened: Whether a recording's first frame gets the time at which it is opened,
            as if it were a camera, instead of ``rules.started_at``: loading models takes seconds.
        pace: Speed of a recording.
        attempts_max: Connections in a row without a frame before a stream is given up.
        clock_source: Where its times come from.
        clock_error_ms: Their largest error.
    """

    camera_id: str
    mode: CameraMode
    source: str
    kind: SourceKind
    lane: int | None
    region: Region
    rules: SourceRules
    starts_when_opened: bool
    pace: Pace
    attempts_max: int | None
    clock_source: ClockSource
    clock_error_ms: int

    def opener(self, clock: Callable[[], datetime]) -> Callable[[], FrameSource]:
        """Opens the source; raises ``CaptureError``."""

        def open_now() -> FrameSource:
            rules = self.rules
            if self.starts_when_opened:
                rules = replace(rules, started_at=clock())
            return open_source(self.source, rules=rules, clock=clock)

        return open_now


def kind_of(source: str, *, pictures_per_s: float | None) -> SourceKind:
    """What a source is, by its name and the file system."""
    if is_stream(source):
        return SourceKind.STREAM
    if Path(source).is_dir() and pictures_per_s is None:
        return SourceKind.PICTURES
    return SourceKind.RECORDING


def plan_from_settings(
    camera: CameraSettings, device: DeviceSettings, *, now: datetime
) -> CameraPlan:
    """A camera of the site file, played as a camera: files at the speed of their recording.

    Args:
        camera: Its settings.
        device: Settings of the device.
        now: Aware UTC time that a file's first frame gets.
    """
    return CameraPlan(
        camera_id=camera.id,
        mode=camera.mode,
        source=camera.source,
        kind=kind_of(camera.source, pictures_per_s=None),
        lane=camera.lane,
        region=region_of(camera),
        rules=SourceRules(
            camera_id=camera.id, every=camera.every, started_at=now, max_fps=camera.max_fps
        ),
        starts_when_opened=True,
        pace=Pace.RECORDED,
        attempts_max=None,
        clock_source=device.clock_source,
        clock_error_ms=device.clock_error_ms,
    )


def region_of(camera: CameraSettings) -> Region:
    """The watched part of a camera's picture."""
    region = camera.region
    return Region(x_min=region.x_min, y_min=region.y_min, x_max=region.x_max, y_max=region.y_max)
