# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about sites, devices and cameras."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.contracts.heartbeat import CameraState
from central.domain.sequences import SeqRange, SeqSet

LATITUDE_MAX: Final = 90.0
LONGITUDE_MAX: Final = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place on a road where devices stand; ``name`` is Vietnamese."""

    id: str
    province: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedSite:
    """A site with where it stands, in degrees of WGS 84; ``None`` where nobody told it."""

    id: str
    name: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place on Earth in degrees of WGS 84."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if abs(self.latitude) > LATITUDE_MAX or abs(self.longitude) > LONGITUDE_MAX:
            raise ValueError("degrees out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePage:
    """Sites by id; ``next_after`` leads on, ``None`` at the end."""

    sites: tuple[Site, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """A camera of a site; ``id`` is unique within the site."""

    site_id: str
    id: str
    name: str


class DeviceState(StrEnum):
    """Whether a device may send."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A computer at a site that sends passages."""

    id: str
    site_id: str
    province: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWithSecretHash:
    """A device as it is looked up to check its secret."""

    device: Device
    secret_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSecret:
    """A device's new secret: its broker password and its HTTP secret; shown once."""

    device_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """A camera as its device described it in its newest heartbeat.

    Attributes:
        last_frame_age_s: Age of its newest frame at that time; ``None`` before the first.
    """

    camera_id: str
    state: CameraState
    analysed_fps: float
    last_frame_age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOverview:
    """A device and how it was when last heard of.

    Attributes:
        last_heartbeat_at: Arrival of the newest heartbeat; ``None`` when it never sent one.
        is_silent: Whether its heartbeats stopped; ``None`` when it never sent one.
        outbox_events: Events that wait in the device, by its newest heartbeat.
        lost_numbers: Numbers of which the centre holds nothing and that raise the alarm.
        cameras: Its cameras, by its newest heartbeat.
    """

    id: str
    site_id: str
    site_name: str
    province: str
    enabled: bool
    last_heartbeat_at: datetime | None
    is_silent: bool | None
    outbox_events: int | None
    clock_error_ms: int | None
    lost_numbers: int = 0
    cameras: tuple[CameraStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What is needed to register a device; site and cameras are made when they are new.

    Attributes:
        site_name: Vietnamese name of the site, used only when the site is new.
        camera_ids: Cameras of the site that this device watches.
        position: Where the site stands; ``None`` leaves it as it is.
    """

    device_id: str
    site_id: str
    province: str
    site_name: str
    camera_ids: tuple[str, ...] = ()
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """Proof for one life of a device's outbox: captured = stored.

    Attributes:
        held: Every number that is committed here, as a passage or in quarantine.
        announced_seq: Last number that the device says it has used; 0 when it never said.
        doubled_count: Messages that came again and were not stored again.
    """

    device_id: str
    outbox_id: UUID
    held: SeqSet
    announced_seq: int
    stored_count: int
    doubled_count: int
    quarantined_count: int
    late_count: int
    first_received_at: datetime
    last_received_at: datetime

    @property
    def first_seq(self) -> int:
        """Lowest number held here; 0 when none."""
        return self.held.ranges[0].first if self.held.ranges else 0

    @property
    def last_seq(self) -> int:
        """Highest number held here or announced by the device; 0 when none."""
        return max(self.held.last, self.announced_seq)

    @property
    def missing(self) -> tuple[SeqRange, ...]:
        """Holes from 1 to ``last_seq``: still on their way, or lost."""
        return self.held.missing(up_to=self.last_seq)

    @property
    def missing_count(self) -> int:
        """How many numbers are missing."""
        return sum(len(hole) for hole in self.missing)
