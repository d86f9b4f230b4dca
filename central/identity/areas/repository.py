# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of units and areas."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.identity.areas.types import Area, Unit
from central.identity.errors import AreaInUseError, UnitInUseError

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnitRow:
    id: str
    name: str
    area_ids: list[str]
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _AreaRow:
    id: str
    name: str
    site_ids: list[str]


class AreaRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put_unit(self, unit_id: str, name: str, *, now: datetime) -> None:
        """Make a unit, or rename it."""
        await self._connection.execute(
            QUERIES["insert_unit"], {"unit_id": unit_id, "name": name, "now": now}
        )

    async def put_area(self, area_id: str, name: str, *, now: datetime) -> None:
        """Make an area, or rename it."""
        await self._connection.execute(
            QUERIES["insert_area"], {"area_id": area_id, "name": name, "now": now}
        )

    async def remove_unit(self, unit_id: str) -> bool:
        """Remove a unit; ``False`` when there is none.

        Raises:
            UnitInUseError: People still belong to it.
        """
        try:
            async with self._connection.transaction():
                found = await self._scalars("delete_unit", {"unit_id": unit_id})
        except ForeignKeyViolation as error:
            raise UnitInUseError(unit_id) from error
        return bool(found)

    async def remove_area(self, area_id: str) -> bool:
        """Remove an area; ``False`` when there is none.

        Raises:
            AreaInUseError: It is still given to people or units.
        """
        try:
            async with self._connection.transaction():
                found = await self._scalars("delete_area", {"area_id": area_id})
        except ForeignKeyViolation as error:
            raise AreaInUseError(area_id) from error
        return bool(found)

    async def units(self, *, limit: int) -> tuple[Unit, ...]:
        """Every unit, by name."""
        async with self._connection.cursor(row_factory=class_row(_UnitRow)) as cursor:
            await cursor.execute(QUERIES["select_units"], {"rows_max": limit})
            return tuple(
                Unit(id=row.id, name=row.name, area_ids=tuple(row.area_ids), people=row.people)
                for row in await cursor.fetchall()
            )

    async def areas(self, *, limit: int) -> tuple[Area, ...]:
        """Every area, by name."""
        async with self._connection.cursor(row_factory=class_row(_AreaRow)) as cursor:
            await cursor.execute(QUERIES["select_areas"], {"rows_max": limit})
            return tuple(
                Area(id=row.id, name=row.name, site_ids=tuple(row.site_ids))
                for row in await cursor.fetchall()
            )

    async def hold_unit(self, unit_id: str) -> bool:
        """Hold a unit until the transaction ends; ``False`` when there is none."""
        return bool(await self._scalars("lock_unit", {"unit_id": unit_id}))

    async def replace_unit_areas(self, unit_id: str, area_ids: Collection[str]) -> None:
        """Give a unit these areas and no others."""
        await self._connection.execute(QUERIES["delete_unit_areas"], {"unit_id": unit_id})
        await self._connection.execute(
            QUERIES["insert_unit_areas"], {"unit_id": unit_id, "area_ids": sorted(area_ids)}
        )

    async def replace_area_sites(self, area_id: str, site_ids: Collection[str]) -> None:
        """Let an area hold these sites and no others."""
        await self._connection.execute(QUERIES["delete_area_sites"], {"area_id": area_id})
        await self._connection.execute(
            QUERIES["insert_area_sites"], {"area_id": area_id, "site_ids": sorted(site_ids)}
        )

    async def missing_areas(self, area_ids: Collection[str]) -> tuple[str, ...]:
        """Which of some ids are no areas."""
        return await self._scalars(
            "select_missing_areas", {"area_ids": sorted(area_ids), "rows_max": 1}
        )

    async def missing_sites(self, site_ids: Collection[str]) -> tuple[str, ...]:
        """Which of some ids are no sites."""
        return await self._scalars(
            "select_missing_sites", {"site_ids": sorted(site_ids), "rows_max": 1}
        )

    async def _scalars(self, name: str, parameters: dict[str, object]) -> tuple[str, ...]:
        """The first column of a query."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[name], parameters)
            return tuple(await cursor.fetchall())
