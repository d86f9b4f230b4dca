# SPDX-License-Identifier: AGPL-3.0-or-later
"""How devices are, how they were, and whether everything came that they numbered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.devices.repository import DeviceRepository
from central.devices.types import DayCursor, DayPage, DeviceHealth, DevicePage, HealthSpan
from central.errors import DeviceNotFoundError
from central.identity.permissions import Permission
from central.identity.types import User
from central.sites.service import SiteService
from central.sites.types import Completeness

READ_RATE_OVER: Final = timedelta(minutes=15)
"""The read rate is that of so long. Higher: steadier, later to tell, and more rows to count."""

HISTORY_OVER: Final = timedelta(hours=24)
HISTORY_SPAN: Final = timedelta(minutes=30)
HISTORY_SPANS_MAX: Final = 49
PAGE_SIZE_MAX: Final = 200


class DeviceService:
    """What a user may know of devices, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = DeviceRepository(connection)
        self._sites = SiteService(connection)
        self._user = user

    async def devices(self, *, after: str, size: int, now: datetime) -> DevicePage:
        """Devices of the user's scope by id.

        Args:
            after: Only devices after this id; empty for the first page.
            size: Most devices of the page.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not see devices.
        """
        self._user.require(Permission.SEE_DEVICES)
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.health(
            self._user.scope,
            device_id=None,
            after=after,
            read_since=now - READ_RATE_OVER,
            limit=limit + 1,
        )
        return DevicePage(
            devices=tuple(found[:limit]),
            next_after=found[limit - 1].id if len(found) > limit else None,
        )

    async def device(self, device_id: str, *, now: datetime) -> DeviceHealth:
        """One device.

        Raises:
            PermissionDeniedError: The user may not see devices.
            DeviceNotFoundError: There is none of this name in the user's scope.
        """
        self._user.require(Permission.SEE_DEVICES)
        found = await self._rows.health(
            self._user.scope,
            device_id=device_id,
            after="",
            read_since=now - READ_RATE_OVER,
            limit=1,
        )
        if not found:
            raise DeviceNotFoundError(device_id)
        return found[0]

    async def history(self, device: DeviceHealth, *, now: datetime) -> Sequence[HealthSpan]:
        """How a device was during the last day, newest span first.

        Raises:
            PermissionDeniedError: The user may not see devices.
        """
        self._user.require(Permission.SEE_DEVICES)
        return await self._rows.history(
            device.id, since=now - HISTORY_OVER, span=HISTORY_SPAN, limit=HISTORY_SPANS_MAX
        )

    async def days(self, *, device_id: str | None, before: DayCursor | None, size: int) -> DayPage:
        """What came from the devices of the user's scope, newest day first.

        Args:
            device_id: Only of this device; ``None`` for all.
            before: Where to go on; ``None`` for the newest.
            size: Most days of the page.

        Raises:
            PermissionDeniedError: The user may not see devices.
        """
        self._user.require(Permission.SEE_DEVICES)
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._rows.days(
            self._user.scope, device_id=device_id, before=before, limit=limit + 1
        )
        shown = found[:limit]
        return DayPage(
            days=tuple(shown),
            next=(
                DayCursor(day=shown[-1].day, stream_id=shown[-1].stream_id)
                if len(found) > limit
                else None
            ),
        )

    async def proofs(self, device: DeviceHealth) -> Sequence[Completeness]:
        """What the centre holds of every outbox of a device, with the holes.

        Raises:
            PermissionDeniedError: The user may not see devices.
        """
        self._user.require(Permission.SEE_DEVICES)
        return await self._sites.completeness(device.id)
