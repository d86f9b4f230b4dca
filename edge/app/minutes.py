# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts what every camera saw in each minute, and how many frames it looked at.

A passage is known only when its vehicle has left the picture, so a minute is told a while after it
was over. A passage that comes later still is counted in the oldest minute that was not told yet:
it is in no count twice, and in one for certain while the process lives. What a process has not
told when it stops stays untold: a minute that nobody saw whole would look like an empty road. Its
vehicles are known as passages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from central.contracts.event import ClockSource
from central.contracts.passage import Direction, VehicleClass
from central.contracts.traffic_minute import MINUTE, VehicleCountV1
from edge.app.plans import CameraPlan
from edge.health.heartbeat import CameraReading
from edge.stages import Passage

TOLD_AFTER: Final = timedelta(seconds=20)
"""How long after its end a minute is told. Higher: slow vehicles are counted in their own minute;
lower: the centre knows sooner that a camera looks."""


_Kind = tuple[Direction, VehicleClass | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMinute:
    """One minute of one camera, ready to be told."""

    plan: CameraPlan
    minute_at: datetime
    frames_analysed: int
    frames_dropped: int
    counts: tuple[VehicleCountV1, ...]


@dataclass(slots=True)
class _Crossed:
    """Vehicles of one direction and class."""

    vehicles: int = 0
    plates_read: int = 0


class MinuteCounter:
    """Passages and frames of every camera by minute; may be used from several threads.

    Recordings are left out: their minutes are not those of a clock.
    """

    def __init__(self, plans: Sequence[CameraPlan], *, now: datetime) -> None:
        """Begin in the minute of ``now``, of which only the rest is seen."""
        self._plans = {
            plan.camera_id: plan for plan in plans if plan.clock_source is not ClockSource.FILE
        }
        self._lock = Lock()
        self._running = _minute_of(now)
        self._seen = dict.fromkeys(self._plans, (0, 0))
        self._frames: dict[datetime, Mapping[str, tuple[int, int]]] = {}
        self._crossed: dict[tuple[str, datetime], dict[_Kind, _Crossed]] = {}

    def add(self, passage: Passage) -> None:
        """Count a passage."""
        if passage.camera_id not in self._plans:
            return
        vehicle = passage.vehicle_class
        kind = (passage.direction, None if vehicle is None else VehicleClass(vehicle.value))
        with self._lock:
            oldest = min(self._frames, default=self._running)
            minute_at = max(_minute_of(passage.captured_at), oldest)
            of_camera = self._crossed.setdefault((passage.camera_id, minute_at), {})
            crossed = of_camera.setdefault(kind, _Crossed())
            crossed.vehicles += 1
            crossed.plates_read += passage.plate is not None

    def due(self, readings: Sequence[CameraReading], *, now: datetime) -> list[CameraMinute]:
        """Minutes that are over for long enough, each once.

        Args:
            readings: Frames of every camera since the process began.
            now: The device's clock. After a jump back nothing is due until it has caught up.
        """
        with self._lock:
            if _minute_of(now) > self._running:
                self._frames[self._running] = self._frames_since(readings)
                self._running = _minute_of(now)
            ready = sorted(each for each in self._frames if now >= each + MINUTE + TOLD_AFTER)
            return [minute for each in ready for minute in self._taken(each)]

    def _frames_since(self, readings: Sequence[CameraReading]) -> Mapping[str, tuple[int, int]]:
        """Frames analysed and dropped since the last look, by camera."""
        frames = {}
        for reading in readings:
            if reading.camera_id in self._plans:
                analysed, dropped = self._seen[reading.camera_id]
                frames[reading.camera_id] = (reading.analysed - analysed, reading.dropped - dropped)
                self._seen[reading.camera_id] = (reading.analysed, reading.dropped)
        return frames

    def _taken(self, minute_at: datetime) -> Iterator[CameraMinute]:
        """One minute of every camera; it is forgotten here."""
        for camera_id, (analysed, dropped) in self._frames.pop(minute_at).items():
            crossed = self._crossed_until(camera_id, minute_at)
            yield CameraMinute(
                plan=self._plans[camera_id],
                minute_at=minute_at,
                frames_analysed=analysed,
                frames_dropped=dropped,
                counts=tuple(
                    VehicleCountV1(
                        direction=direction,
                        vehicle_class=vehicle,
                        vehicles=each.vehicles,
                        plates_read=each.plates_read,
                    )
                    for (direction, vehicle), each in crossed.items()
                ),
            )

    def _crossed_until(self, camera_id: str, minute_at: datetime) -> dict[_Kind, _Crossed]:
        """Vehicles of a minute, and of minutes before it in which nobody looked."""
        together: dict[_Kind, _Crossed] = {}
        for key in sorted(self._crossed):
            if key[0] == camera_id and key[1] <= minute_at:
                for kind, each in self._crossed.pop(key).items():
                    crossed = together.setdefault(kind, _Crossed())
                    crossed.vehicles += each.vehicles
                    crossed.plates_read += each.plates_read
        return together


def _minute_of(moment: datetime) -> datetime:
    """The beginning of a moment's minute."""
    return moment.replace(second=0, microsecond=0)
