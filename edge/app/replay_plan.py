# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns the words of a ``replay`` command into the one camera that is played."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from central.contracts.event import ClockSource
from edge.app.device import ModelChoice
from edge.app.plans import CameraPlan, kind_of, region_of
from edge.capture.loop import Pace
from edge.capture.opening import file_time
from edge.capture.types import SourceKind, SourceRules
from edge.errors import SettingsError
from edge.pipeline.detection import Region
from edge.settings import (
    CameraMode,
    CameraSettings,
    EdgeSettings,
    ReaderSettings,
    load_settings,
)
from models.runtime.values import Backend

STREAM_ATTEMPTS_IN_REPLAY: Final = 3
UNKNOWN_FILE_CLOCK_ERROR_MS: Final = 86_400_000
STATED_START_CLOCK_ERROR_MS: Final = 1_000


class ReplayStart(StrEnum):
    """Named times for a recording's first frame."""

    FILE = "file"
    NOW = "now"


def replay_settings(config: Path | None) -> EdgeSettings | None:
    """The site file of a replay; ``None`` when none is named: then nothing is sent.

    Raises:
        SettingsError: The file is wrong.
    """
    return None if config is None else load_settings(config)


def replay_choice(settings: EdgeSettings | None, backend: Backend | None) -> ModelChoice:
    """Models of a replay: the command line wins over the site file."""
    folder = None if settings is None else settings.models.folder
    configured = Backend.AUTO if settings is None else settings.models.backend
    return ModelChoice(backend=backend or configured, folder=folder, workers=1)


def replay_readers(
    settings: EdgeSettings | None, *, is_wanted: bool, is_offline: bool
) -> tuple[ReaderSettings, ...]:
    """Tag readers that are asked while a recording is played.

    Raises:
        SettingsError: They are wanted, and there is none, or nowhere to send what they say.
    """
    if not is_wanted:
        return ()
    if settings is None or is_offline:
        raise SettingsError(source="--readers", problems=("say --config, and not --offline",))
    if not settings.readers:
        raise SettingsError(source="--readers", problems=("readers: none is set",))
    return settings.readers


def replay_plan(
    source: str,
    *,
    settings: EdgeSettings | None,
    mode: CameraMode | None,
    camera: str | None,
    every: int,
    fps: float | None,
    start: str,
    pace: Pace,
    now: datetime,
) -> CameraPlan:
    """The one camera of a replay: one of the site file's, or one made up for it."""
    chosen = _chosen_camera(settings, camera=camera, mode=mode)
    kind = kind_of(source, pictures_per_s=fps)
    started_at, clock_error_ms = _start_time(source, kind=kind, start=start, now=now)
    camera_id = "replay" if chosen is None else chosen.id
    camera_mode = mode or (None if chosen is None else chosen.mode)
    if camera_mode is None:
        raise SettingsError(source="replay", problems=("say --mode gate or --mode road",))
    is_stream = kind is SourceKind.STREAM
    return CameraPlan(
        camera_id=camera_id,
        mode=camera_mode,
        source=source,
        kind=kind,
        lane=None if chosen is None else chosen.lane,
        region=Region() if chosen is None else region_of(chosen),
        rules=SourceRules(
            camera_id=camera_id, every=every, started_at=started_at, pictures_per_s=fps
        ),
        starts_when_opened=start == ReplayStart.NOW,
        pace=pace,
        attempts_max=STREAM_ATTEMPTS_IN_REPLAY,
        clock_source=ClockSource.SYSTEM if is_stream else ClockSource.FILE,
        clock_error_ms=clock_error_ms,
    )


def _chosen_camera(
    settings: EdgeSettings | None, *, camera: str | None, mode: CameraMode | None
) -> CameraSettings | None:
    """The site file's camera with this name, or its first one with this mode."""
    cameras = () if settings is None else settings.cameras
    if camera is not None:
        for candidate in cameras:
            if candidate.id == camera:
                return candidate
        raise SettingsError(source="replay", problems=(f"no camera is called {camera}",))
    for candidate in cameras:
        if mode is None or candidate.mode is mode:
            return candidate
    return None


def _start_time(
    source: str, *, kind: SourceKind, start: str, now: datetime
) -> tuple[datetime, int]:
    """Time of the first frame and its largest error in ms."""
    if kind is SourceKind.STREAM or start == ReplayStart.NOW:
        return now, STATED_START_CLOCK_ERROR_MS
    if start == ReplayStart.FILE:
        return file_time(source), UNKNOWN_FILE_CLOCK_ERROR_MS
    try:
        stated = datetime.fromisoformat(start)
    except ValueError:
        stated = None
    if stated is None or stated.tzinfo is None:
        raise SettingsError(
            source="--start", problems=("say file, now, or a time like 2026-01-31T08:00:00+07:00",)
        )
    return stated.astimezone(UTC), STATED_START_CLOCK_ERROR_MS
