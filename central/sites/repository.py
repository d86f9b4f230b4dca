# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of sites, devices and cameras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, tuple_row
from psycopg.types.multirange import Multirange

from central.contracts.heartbeat import CameraHealthV1
from central.db.queries import QueryFile
from central.db.sequences import seq_set
from central.domain.scope import SiteScope
from central.sites.types import (
    Camera,
    CameraStatus,
    Completeness,
    Device,
    DeviceOverview,
    DeviceState,
    DeviceWithSecretHash,
    PlacedSite,
    Position,
    Site,
)

QUERIES: Final = QueryFile.beside(__file__)
ROWS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeviceRow:
    id: str
    site_id: str
    province: str
    enabled: bool
    secret_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _CompletenessRow:
    device_id: str
    outbox_id: UUID
    held: Multirange[int]
    announced_seq: int
    stored_count: int
    doubled_count: int
    quarantined_count: int
    late_count: int
    first_received_at: datetime
    last_received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _OverviewRow:
    id: str
    site_id: str
    site_name: str
    province: str
    enabled: bool
    last_heartbeat_at: datetime | None
    is_silent: bool | None
    outbox_events: int | None
    clock_error_ms: int | None
    lost_numbers: int
    cameras: Sequence[Mapping[str, object]]


class SiteRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_site(self, site: Site) -> None:
        """Make a site unless it exists."""
        await self._connection.execute(
            QUERIES["insert_site"],
            {"site_id": site.id, "province": site.province, "name": site.name},
        )

    async def add_camera(self, camera: Camera) -> None:
        """Make a camera unless it exists."""
        await self._connection.execute(
            QUERIES["insert_camera"],
            {"site_id": camera.site_id, "camera_id": camera.id, "name": camera.name},
        )

    async def add_device(
        self, *, device_id: str, site_id: str, secret_hash: bytes, now: datetime
    ) -> bool:
        """Register a device; ``False`` when the name is taken."""
        cursor = await self._connection.execute(
            QUERIES["insert_device"],
            {
                "device_id": device_id,
                "site_id": site_id,
                "secret_hash": secret_hash,
                "now": now,
            },
        )
        return cursor.rowcount == 1

    async def replace_secret(self, *, device_id: str, secret_hash: bytes, now: datetime) -> bool:
        """Replace a device's secret; ``False`` when there is no such device."""
        cursor = await self._connection.execute(
            QUERIES["update_device_secret"],
            {"device_id": device_id, "secret_hash": secret_hash, "now": now},
        )
        return cursor.rowcount == 1

    async def switch_device(self, device_id: str, state: DeviceState) -> bool:
        """Switch a device on or off; ``False`` when there is no such device."""
        cursor = await self._connection.execute(
            QUERIES["update_device_enabled"],
            {"device_id": device_id, "enabled": state is DeviceState.ENABLED},
        )
        return cursor.rowcount == 1

    async def site(self, site_id: str) -> Site | None:
        """One site."""
        async with self._connection.cursor(row_factory=class_row(Site)) as cursor:
            await cursor.execute(QUERIES["select_site"], {"site_id": site_id})
            return await cursor.fetchone()

    async def sites(self, scope: SiteScope) -> Sequence[Site]:
        """Sites of a scope, by name."""
        async with self._connection.cursor(row_factory=class_row(Site)) as cursor:
            await cursor.execute(
                QUERIES["select_sites"], {"scope": scope.as_list(), "rows_max": ROWS_MAX}
            )
            return await cursor.fetchall()

    async def placed(self, scope: SiteScope) -> Sequence[PlacedSite]:
        """Sites of a scope with their positions, by name."""
        async with self._connection.cursor(row_factory=class_row(PlacedSite)) as cursor:
            await cursor.execute(
                QUERIES["select_placed_sites"], {"scope": scope.as_list(), "rows_max": ROWS_MAX}
            )
            return await cursor.fetchall()

    async def set_position(self, site_id: str, position: Position) -> bool:
        """Say where a site stands; ``False`` when there is no such site."""
        cursor = await self._connection.execute(
            QUERIES["update_site_position"],
            {
                "site_id": site_id,
                "latitude": position.latitude,
                "longitude": position.longitude,
            },
        )
        return cursor.rowcount == 1

    async def sites_after(self, scope: SiteScope, *, after: str, limit: int) -> Sequence[Site]:
        """Sites of a scope after an id, by id."""
        async with self._connection.cursor(row_factory=class_row(Site)) as cursor:
            await cursor.execute(
                QUERIES["select_sites_after"],
                {"scope": scope.as_list(), "after": after, "rows_max": limit},
            )
            return await cursor.fetchall()

    async def cameras(self, scope: SiteScope) -> Sequence[Camera]:
        """Cameras of a scope, by site and name."""
        async with self._connection.cursor(row_factory=class_row(Camera)) as cursor:
            await cursor.execute(
                QUERIES["select_cameras"], {"scope": scope.as_list(), "rows_max": ROWS_MAX}
            )
            return await cursor.fetchall()

    async def device_with_secret(self, device_id: str) -> DeviceWithSecretHash | None:
        """A device and the hash of its secret."""
        async with self._connection.cursor(row_factory=class_row(_DeviceRow)) as cursor:
            await cursor.execute(QUERIES["select_device_with_secret"], {"device_id": device_id})
            row = await cursor.fetchone()
        if row is None:
            return None
        return DeviceWithSecretHash(
            device=Device(
                id=row.id, site_id=row.site_id, province=row.province, enabled=row.enabled
            ),
            secret_hash=row.secret_hash,
        )

    async def overviews(self, scope: SiteScope) -> Sequence[DeviceOverview]:
        """Devices of a scope with their newest heartbeat, by id."""
        async with self._connection.cursor(row_factory=class_row(_OverviewRow)) as cursor:
            await cursor.execute(
                QUERIES["select_device_overviews"], {"scope": scope.as_list(), "rows_max": ROWS_MAX}
            )
            return [_overview(row) for row in await cursor.fetchall()]

    async def completeness(self, device_id: str) -> Sequence[Completeness]:
        """What the centre holds of every outbox of a device, oldest outbox first."""
        async with self._connection.cursor(row_factory=class_row(_CompletenessRow)) as cursor:
            await cursor.execute(
                QUERIES["select_completeness"], {"device_id": device_id, "rows_max": ROWS_MAX}
            )
            rows = await cursor.fetchall()
        return [_completeness(row) for row in rows]

    async def mark_silent(self, *, heard_before: datetime, now: datetime) -> Mapping[str, str]:
        """Mark devices that were last heard before a time.

        Returns:
            The newly silent ones, each with its site.
        """
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(
                QUERIES["mark_silent_devices"], {"heard_before": heard_before, "now": now}
            )
            return {str(row[0]): str(row[1]) for row in await cursor.fetchall()}

    async def take_heard(self) -> Mapping[str, str]:
        """Devices that are heard again after their silence was told, each with its site, once."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(QUERIES["take_heard_devices"])
            return {str(row[0]): str(row[1]) for row in await cursor.fetchall()}

    async def forget_heartbeats(self, *, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` rows of heartbeat history; returns how many went."""
        cursor = await self._connection.execute(
            QUERIES["delete_old_heartbeats"], {"before": before, "rows_max": limit}
        )
        return cursor.rowcount


def _overview(row: _OverviewRow) -> DeviceOverview:
    """A device with its cameras from its row."""
    return DeviceOverview(
        id=row.id,
        site_id=row.site_id,
        site_name=row.site_name,
        province=row.province,
        enabled=row.enabled,
        last_heartbeat_at=row.last_heartbeat_at,
        is_silent=row.is_silent,
        outbox_events=row.outbox_events,
        clock_error_ms=row.clock_error_ms,
        lost_numbers=row.lost_numbers,
        cameras=tuple(_camera(health) for health in row.cameras),
    )


def _camera(health: Mapping[str, object]) -> CameraStatus:
    """A camera out of a stored heartbeat, which newer devices may have written."""
    camera = CameraHealthV1.model_validate(health, extra="ignore")
    return CameraStatus(
        camera_id=camera.camera_id,
        state=camera.state,
        analysed_fps=camera.analysed_fps,
        last_frame_age_s=camera.last_frame_age_s,
    )


def _completeness(row: _CompletenessRow) -> Completeness:
    """The proof from its row."""
    return Completeness(
        device_id=row.device_id,
        outbox_id=row.outbox_id,
        held=seq_set(row.held),
        announced_seq=row.announced_seq,
        stored_count=row.stored_count,
        doubled_count=row.doubled_count,
        quarantined_count=row.quarantined_count,
        late_count=row.late_count,
        first_received_at=row.first_received_at,
        last_received_at=row.last_received_at,
    )
