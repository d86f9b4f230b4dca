# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about how devices are and what came from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from central.contracts.heartbeat import HeartbeatV1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHealth:
    """A device and how it was when last heard of.

    Attributes:
        heard_at: Arrival of the newest heartbeat; ``None`` when it never sent one.
        heartbeat: That heartbeat; ``None`` as well when a newer device wrote what can't be read.
        passages: Vehicles it saw lately.
        plates: Those of them whose plate was read.
        lost_numbers: Numbers of which the centre holds nothing and that raise the alarm.
    """

    id: str
    site_id: str
    site_name: str
    province: str
    enabled: bool
    is_silent: bool
    heard_at: datetime | None
    heartbeat: HeartbeatV1 | None
    passages: int
    plates: int
    lost_numbers: int = 0

    @property
    def read_rate(self) -> float | None:
        """Share of vehicles whose plate was read; ``None`` without vehicles."""
        return self.plates / self.passages if self.passages else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePage:
    """Devices by id; ``next_after`` leads on, ``None`` at the end."""

    devices: tuple[DeviceHealth, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSpan:
    """How a device was during one span of its history; ``None`` means not told.

    Attributes:
        minutes_heard: Minutes of the span in which a heartbeat came.
        analysed_fps: Frames analysed per second by all its cameras, on average.
        outbox_events: Most events that waited.
        clock_error_ms: Largest error of its clock.
        temperature_celsius: Highest temperature.
    """

    began_at: datetime
    minutes_heard: int
    analysed_fps: float | None
    outbox_events: int | None
    clock_error_ms: int | None
    temperature_celsius: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCursor:
    """A place in the list of days, which goes back in time."""

    day: date
    stream_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceDay:
    """What one outbox of a device delivered on one local day.

    Attributes:
        first_seq: Lowest number that was new; ``None`` when only repeats came.
        last_seq: Highest one.
        missing_count: Numbers that should have come by this day and have not come to date.
    """

    day: date
    device_id: str
    site_name: str
    outbox_id: UUID
    stream_id: int
    first_seq: int | None
    last_seq: int | None
    stored_count: int
    doubled_count: int
    quarantined_count: int
    late_count: int
    missing_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """Days, newest first; ``next`` leads on, ``None`` at the end."""

    days: tuple[DeviceDay, ...]
    next: DayCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """A device's row as the database gives it."""

    id: str
    site_id: str
    site_name: str
    province: str
    enabled: bool
    heard_at: datetime | None
    is_silent: bool | None
    report: Mapping[str, object] | None
    passages: int | None
    plates: int | None
    lost_numbers: int
