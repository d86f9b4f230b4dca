# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the heartbeat of the moment."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil

from central.contracts.event import ClockSource
from central.contracts.heartbeat import (
    CameraHealthV1,
    CameraState,
    HeartbeatV1,
    ReaderHealthV1,
    ReaderState,
)
from central.contracts.passage import ModelDigestV1
from edge.health.rates import RateMeter

MAX_RATE: Final = 1000.0
STALLED_AFTER_S: Final = 10.0
TEMPERATURE_MIN: Final = -50.0
TEMPERATURE_MAX: Final = 150.0
"""Sensors that are not connected tell temperatures outside of these, in °C."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraReading:
    """One camera at this moment; counts grow since the process started."""

    camera_id: str
    state: CameraState
    captured: int
    analysed: int
    dropped: int
    last_frame_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderReading:
    """One tag reader at this moment; counts grow since the process started."""

    reader_id: str
    state: ReaderState
    answers: int
    tag_reads: int
    losses: int
    last_answer_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxReading:
    """The outbox at this moment."""

    outbox_id: UUID
    last_seq: int
    events: int
    oldest_event_at: datetime | None
    pictures: int
    picture_bytes: int
    pictures_dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What does not change while the process lives."""

    device_id: str
    site_id: str
    boot_id: UUID
    software_version: str
    clock_source: ClockSource
    clock_error_ms: int
    models: tuple[ModelDigestV1, ...]
    outbox_folder: Path
    started_s: float


class HeartbeatMaker:
    """Makes heartbeats; remembers counts to tell rates."""

    def __init__(self, facts: DeviceFacts, *, new_id: Callable[[], UUID]) -> None:
        self._facts = facts
        self._new_id = new_id
        self._captured: dict[str, RateMeter] = {}
        self._analysed: dict[str, RateMeter] = {}

    def make(
        self,
        *,
        outbox: OutboxReading,
        cameras: Sequence[CameraReading],
        readers: Sequence[ReaderReading],
        now: datetime,
        now_s: float,
    ) -> HeartbeatV1:
        """The heartbeat of this moment.

        Args:
            outbox: State of the outbox.
            cameras: State of every camera.
            readers: State of every tag reader.
            now: Aware UTC time.
            now_s: Monotonic time in seconds.
        """
        facts = self._facts
        oldest_age_s = None
        if outbox.oldest_event_at is not None:
            oldest_age_s = max(0.0, (now - outbox.oldest_event_at).total_seconds())
        return HeartbeatV1(
            id=self._new_id(),
            device_id=facts.device_id,
            outbox_id=outbox.outbox_id,
            boot_id=facts.boot_id,
            site_id=facts.site_id,
            sent_at=now,
            uptime_s=now_s - facts.started_s,
            software_version=facts.software_version,
            clock_source=facts.clock_source,
            clock_error_ms=facts.clock_error_ms,
            outbox_last_seq=outbox.last_seq,
            outbox_events=outbox.events,
            outbox_oldest_age_s=oldest_age_s,
            outbox_pictures=outbox.pictures,
            outbox_bytes=outbox.picture_bytes,
            pictures_dropped=outbox.pictures_dropped,
            disk_free_bytes=shutil.disk_usage(facts.outbox_folder).free,
            resident_bytes=psutil.Process().memory_info().rss,
            temperature_celsius=hottest_celsius(),
            models=facts.models,
            cameras=tuple(self._camera(camera, now_s=now_s) for camera in cameras),
            readers=tuple(_reader(reader, now_s=now_s) for reader in readers),
        )

    def _camera(self, camera: CameraReading, *, now_s: float) -> CameraHealthV1:
        captured = self._captured.setdefault(camera.camera_id, RateMeter())
        analysed = self._analysed.setdefault(camera.camera_id, RateMeter())
        age_s = None if camera.last_frame_s is None else max(0.0, now_s - camera.last_frame_s)
        state = camera.state
        if state is CameraState.RUNNING and age_s is not None and age_s > STALLED_AFTER_S:
            state = CameraState.STALLED
        return CameraHealthV1(
            camera_id=camera.camera_id,
            state=state,
            captured_fps=min(MAX_RATE, captured.rate(camera.captured, now_s=now_s)),
            analysed_fps=min(MAX_RATE, analysed.rate(camera.analysed, now_s=now_s)),
            frames_dropped=camera.dropped,
            last_frame_age_s=age_s,
        )


def hottest_celsius() -> float | None:
    """Temperature of the device's hottest part; ``None`` where the machine tells of none."""
    sensors = getattr(psutil, "sensors_temperatures", None)  # only where the system has them
    if sensors is None:
        return None
    readings = [each.current for group in sensors().values() for each in group]
    plausible = [each for each in readings if TEMPERATURE_MIN < each < TEMPERATURE_MAX]
    return max(plausible, default=None)


def _reader(reader: ReaderReading, *, now_s: float) -> ReaderHealthV1:
    age_s = None if reader.last_answer_s is None else max(0.0, now_s - reader.last_answer_s)
    return ReaderHealthV1(
        reader_id=reader.reader_id,
        state=reader.state,
        answers=reader.answers,
        tag_reads=reader.tag_reads,
        losses=reader.losses,
        last_answer_age_s=age_s,
    )
