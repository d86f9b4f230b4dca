# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of a national centre: provinces, the versions of their sheets, and the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.domain.local_time import LOCAL_ZONE, start_of_local_day
from central.national.types import ProvinceDay, ProvinceState, Sheet

QUERIES: Final = QueryFile.beside(__file__)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVersion:
    """The version of a sheet that is held."""

    revised_at: datetime
    content_sha256: bytes


class NationalRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_province(
        self, code: str, *, name: str, program: str, added_by: str, now: datetime
    ) -> bool:
        """Bind a program to a province; false when there is none, or either is bound already."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_province"],
                {
                    "code": code,
                    "name": name,
                    "program": program,
                    "added_by": added_by,
                    "now": now,
                },
            )
            return await cursor.fetchone() is not None

    async def is_province_of(self, client_id: int, province: str) -> bool:
        """Whether a program is bound to this very province."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["is_province_of"], {"client_id": client_id, "province": province}
            )
            return bool(await cursor.fetchone())

    async def locked_version(self, province: str, sheet: Sheet) -> HeldVersion | None:
        """The version that is held, ``None`` for none; others wait until the transaction ends."""
        name = {"province": province, "kind": sheet.kind, "starts_at": sheet.starts_at}
        await self._connection.execute(QUERIES["lock_sheet"], name)
        async with self._connection.cursor(row_factory=class_row(HeldVersion)) as cursor:
            await cursor.execute(QUERIES["select_version"], name)
            return await cursor.fetchone()

    async def put_version(self, province: str, sheet: Sheet, *, now: datetime) -> None:
        """Note the version that is held now."""
        await self._connection.execute(
            QUERIES["put_version"],
            {
                "province": province,
                "kind": sheet.kind,
                "starts_at": sheet.starts_at,
                "revised_at": sheet.revised_at,
                "content_sha256": sheet.content_sha256,
                "now": now,
            },
        )

    async def replace_rows(self, province: str, sheet: Sheet) -> None:
        """Put a sheet's rows in the place of those that are held."""
        place = {"province": province, "starts_at": sheet.starts_at, "day": sheet.day}
        await self._connection.execute(QUERIES[f"delete_{sheet.kind}"], place)
        await self._connection.execute(
            QUERIES[f"insert_{sheet.kind}"], place | {"rows": Jsonb(sheet.row_objects())}
        )

    async def province_name(self, province: str) -> str | None:
        """What a province is called; ``None`` for an unknown one."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_province_name"], {"province": province})
            found: str | None = await cursor.fetchone()
            return found

    async def provinces(self, day: date, *, after: str, limit: int) -> Sequence[ProvinceState]:
        """Provinces by code with one day of each."""
        async with self._connection.cursor(row_factory=class_row(ProvinceState)) as cursor:
            await cursor.execute(
                QUERIES["select_provinces"],
                {
                    "day": day,
                    "since": start_of_local_day(day),
                    "until": start_of_local_day(day) + _DAY,
                    "after": after,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def days(self, province: str, *, before: date, limit: int) -> Sequence[ProvinceDay]:
        """Days of a province before one, the newest first."""
        async with self._connection.cursor(row_factory=class_row(ProvinceDay)) as cursor:
            await cursor.execute(
                QUERIES["select_days"],
                {
                    "province": province,
                    "until": start_of_local_day(before),
                    "zone": LOCAL_ZONE.key,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()
