# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finds rows of a file that the registry contradicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile
from central.registry.importing.types import ImportKind, RowProblem
from central.registry.importing.words import Fault, problem

QUERIES: Final = QueryFile.beside(__file__)

PROBLEMS_MAX: Final = 1_000_000
"""As many as a file can have rows."""

_PARTY_COLUMNS: Final[Mapping[ImportKind, str]] = MappingProxyType(
    {
        ImportKind.VEHICLES: "owner",
        ImportKind.BADGES: "holder",
        ImportKind.PERMITS: "holder",
        ImportKind.TRANSPORT_LICENCES: "holder",
    }
)
_OF_VEHICLES: Final = frozenset(
    {ImportKind.PLATES, ImportKind.BADGES, ImportKind.PERMITS, ImportKind.INSPECTIONS}
)
_OVERLAPS: Final[Mapping[ImportKind, tuple[str, ...]]] = MappingProxyType(
    {
        ImportKind.PLATES: ("check_plates_of_vehicle", "check_vehicles_of_plate"),
        ImportKind.BADGES: ("check_badges_of_vehicle",),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FaultRow:
    line: int
    column_name: str
    fault: str
    detail: str


class CheckRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def before(self, kind: ImportKind) -> Sequence[RowProblem]:
        """What is wrong with the rows before they are taken in."""
        found = []
        if kind in _PARTY_COLUMNS:
            found += await self._run("check_parties", in_column=_PARTY_COLUMNS[kind])
        if kind in _OF_VEHICLES:
            found += await self._run("check_vehicles")
        for name in (f"check_age_of_{kind.word}", f"check_vehicle_of_{kind.word}"):
            if name in QUERIES:
                found += await self._run(name)
        return found

    async def overlaps(self, kind: ImportKind) -> Sequence[RowProblem]:
        """What is wrong once all rows are in: things that exclude each other on the same day."""
        found = []
        for name in _OVERLAPS.get(kind, ()):
            found += await self._run(name)
        return found

    async def _run(self, name: str, **parameters: str) -> list[RowProblem]:
        async with self._connection.cursor(row_factory=class_row(_FaultRow)) as cursor:
            await cursor.execute(QUERIES[name], {**parameters, "rows_max": PROBLEMS_MAX})
            return [
                problem(Fault(row.fault), line=row.line, column=row.column_name, detail=row.detail)
                for row in await cursor.fetchall()
            ]
