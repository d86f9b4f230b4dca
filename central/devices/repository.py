# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about how devices are and what came from them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row
from pydantic import ValidationError

from central.contracts.heartbeat import HeartbeatV1
from central.db.queries import QueryFile
from central.devices.types import DayCursor, DeviceDay, DeviceHealth, HealthRow, HealthSpan
from central.domain.scope import SiteScope

QUERIES: Final = QueryFile.beside(__file__)
_AFTER_ALL_DAYS: Final = DayCursor(day=date.max, stream_id=2**62)


class DeviceRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def health(
        self,
        scope: SiteScope,
        *,
        device_id: str | None,
        after: str,
        read_since: datetime,
        limit: int,
    ) -> Sequence[DeviceHealth]:
        """Devices of a scope by id."""
        async with self._connection.cursor(row_factory=class_row(HealthRow)) as cursor:
            await cursor.execute(
                QUERIES["select_device_health"],
                {
                    "scope": scope.as_list(),
                    "device_id": device_id,
                    "after": after,
                    "since": read_since,
                    "rows_max": limit,
                },
            )
            return [_health(row) for row in await cursor.fetchall()]

    async def history(
        self, device_id: str, *, since: datetime, span: timedelta, limit: int
    ) -> Sequence[HealthSpan]:
        """How a device was, newest span first."""
        async with self._connection.cursor(row_factory=class_row(HealthSpan)) as cursor:
            await cursor.execute(
                QUERIES["select_device_history"],
                {"device_id": device_id, "since": since, "span": span, "rows_max": limit},
            )
            return await cursor.fetchall()

    async def days(
        self, scope: SiteScope, *, device_id: str | None, before: DayCursor | None, limit: int
    ) -> Sequence[DeviceDay]:
        """What came from devices of a scope, newest day first."""
        place = before or _AFTER_ALL_DAYS
        async with self._connection.cursor(row_factory=class_row(DeviceDay)) as cursor:
            await cursor.execute(
                QUERIES["select_device_days"],
                {
                    "scope": scope.as_list(),
                    "device_id": device_id,
                    "before_day": place.day,
                    "before_id": place.stream_id,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()


def _health(row: HealthRow) -> DeviceHealth:
    """A device from its row."""
    return DeviceHealth(
        id=row.id,
        site_id=row.site_id,
        site_name=row.site_name,
        province=row.province,
        enabled=row.enabled,
        is_silent=bool(row.is_silent),
        heard_at=row.heard_at,
        heartbeat=_heartbeat(row),
        passages=row.passages or 0,
        plates=row.plates or 0,
        lost_numbers=row.lost_numbers,
    )


def _heartbeat(row: HealthRow) -> HeartbeatV1 | None:
    """The stored heartbeat, which a newer device may have written."""
    if row.report is None:
        return None
    try:
        return HeartbeatV1.model_validate(row.report, extra="ignore")
    except ValidationError:
        return None
