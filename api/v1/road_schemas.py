# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sites, devices and proofs of completeness, as programs read them."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.v1.schemas import StrictBody
from central.contracts.heartbeat import CameraState
from central.devices.types import DeviceHealth, DevicePage
from central.sites.types import Completeness, SitePage

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 200
HOLES_MAX = 1000
"""Most holes that one answer lists; their number is told in full."""


class SiteBody(StrictBody):
    """A place on a road where devices stand."""

    id: str
    province: str
    name: str


class SitePageBody(StrictBody):
    """One page of sites, by id."""

    sites: tuple[SiteBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: SitePage) -> Self:
        """Describe a page."""
        return cls(
            sites=tuple(
                SiteBody(id=site.id, province=site.province, name=site.name) for site in page.sites
            ),
            next_cursor=page.next_after,
        )


class CameraHealthBody(StrictBody):
    """A camera as its device described it in its newest heartbeat."""

    camera_id: str
    state: CameraState
    captured_fps: float
    analysed_fps: float
    frames_dropped: int


class DeviceBody(StrictBody):
    """A device with how it was when last heard of; null means not told."""

    id: str
    site_id: str
    site_name: str
    enabled: bool
    is_silent: bool = Field(description="Whether its heartbeats stopped.")
    heard_at: AwareDatetime | None = Field(description="Arrival of its newest heartbeat.")
    software_version: str | None
    outbox_events: int | None = Field(description="Events that wait in the device.")
    clock_error_ms: int | None
    passages: int = Field(description="Vehicles of the last 15 minutes.")
    plates: int = Field(description="Those of them whose plate was read.")
    cameras: tuple[CameraHealthBody, ...]

    @classmethod
    def of(cls, device: DeviceHealth) -> Self:
        """Describe a device."""
        beat = device.heartbeat
        return cls(
            id=device.id,
            site_id=device.site_id,
            site_name=device.site_name,
            enabled=device.enabled,
            is_silent=device.is_silent,
            heard_at=device.heard_at,
            software_version=beat.software_version if beat else None,
            outbox_events=beat.outbox_events if beat else None,
            clock_error_ms=beat.clock_error_ms if beat else None,
            passages=device.passages,
            plates=device.plates,
            cameras=tuple(
                CameraHealthBody(
                    camera_id=camera.camera_id,
                    state=camera.state,
                    captured_fps=camera.captured_fps,
                    analysed_fps=camera.analysed_fps,
                    frames_dropped=camera.frames_dropped,
                )
                for camera in (beat.cameras if beat else ())
            ),
        )


class DevicePageBody(StrictBody):
    """One page of devices, by id."""

    devices: tuple[DeviceBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: DevicePage) -> Self:
        """Describe a page."""
        return cls(devices=tuple(map(DeviceBody.of, page.devices)), next_cursor=page.next_after)


class HoleBody(StrictBody):
    """Numbers that have not come: still on their way, or lost. Both ends are included."""

    first: int
    last: int


class ProofBody(StrictBody):
    """Proof for one life of a device's outbox: captured = stored."""

    outbox_id: UUID
    first_seq: int = Field(description="Lowest number held here; 0 when none.")
    last_seq: int = Field(description="Highest number held here or announced; 0 when none.")
    stored_count: int
    doubled_count: int = Field(description="Messages that came again and were not stored again.")
    quarantined_count: int
    late_count: int
    missing_count: int
    missing: tuple[HoleBody, ...] = Field(description=f"The first {HOLES_MAX} holes.")
    first_received_at: AwareDatetime
    last_received_at: AwareDatetime

    @classmethod
    def of(cls, proof: Completeness) -> Self:
        """Describe a proof."""
        return cls(
            outbox_id=proof.outbox_id,
            first_seq=proof.first_seq,
            last_seq=proof.last_seq,
            stored_count=proof.stored_count,
            doubled_count=proof.doubled_count,
            quarantined_count=proof.quarantined_count,
            late_count=proof.late_count,
            missing_count=proof.missing_count,
            missing=tuple(
                HoleBody(first=hole.first, last=hole.last) for hole in proof.missing[:HOLES_MAX]
            ),
            first_received_at=proof.first_received_at,
            last_received_at=proof.last_received_at,
        )


class CompletenessBody(StrictBody):
    """What the centre holds of a device, oldest outbox first."""

    device_id: str
    outboxes: tuple[ProofBody, ...]
