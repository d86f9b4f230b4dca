# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of a file on their way into the registry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import SESSION_FILE_NAME, QueryFile
from central.registry.importing.types import ImportKind, ParsedRow, RowCounts

QUERIES: Final = QueryFile.beside(__file__)

_SESSION_FILE: Final = Path(__file__).with_name(SESSION_FILE_NAME)
_OVERLAP_CONSTRAINTS: Final = (
    "vehicle_plate_one_vehicle, vehicle_plate_one_plate, badge_one_per_vehicle"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    created: int
    changed: int
    total: int


class ImportRepository:
    """Writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take_rows(self, rows: Sequence[ParsedRow]) -> None:
        """Put the rows of a file into a table of this transaction."""
        await self._connection.execute(_SESSION_FILE.read_text("utf-8"))
        async with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY import_row (line, data) FROM STDIN") as copy,
        ):
            copy.set_types(["int4", "jsonb"])
            for row in rows:
                await copy.write_row((row.line, Jsonb(dict(row.cells))))
        await self._connection.execute("ANALYZE import_row")

    async def leave_out(self, lines: Collection[int]) -> None:
        """Take bad rows out again."""
        await self._connection.execute(QUERIES["delete_rows"], {"lines": sorted(lines)})

    async def allow_overlaps(self) -> None:
        """Let overlaps stand until the end: a file may move a plate from one car to another."""
        await self._connection.execute(f"SET CONSTRAINTS {_OVERLAP_CONSTRAINTS} DEFERRED")

    async def forbid_overlaps(self) -> None:
        """Have the database refuse what still overlaps, now and at once again."""
        await self._connection.execute(f"SET CONSTRAINTS {_OVERLAP_CONSTRAINTS} IMMEDIATE")

    async def compare_driving_licences(self) -> RowCounts:
        """What will become of rows of driving licences; the others are counted while written."""
        async with self._connection.cursor(row_factory=class_row(_Compared)) as cursor:
            await cursor.execute(QUERIES["compare_driving_licences"])
            row = await cursor.fetchone()
        if row is None:
            return RowCounts()
        return RowCounts(
            created=row.created,
            changed=row.changed,
            unchanged=row.total - row.created - row.changed,
        )

    async def write(
        self, kind: ImportKind, *, first_line: int, last_line: int, now: datetime
    ) -> tuple[int, int]:
        """Take the rows of some lines in; returns how many were new, and how many changed."""
        lines: Mapping[str, object] = {"first_line": first_line, "last_line": last_line}
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[f"upsert_{kind.word}"], {**lines, "now": now})
            if kind is ImportKind.DRIVING_LICENCES:
                await cursor.execute(QUERIES["upsert_driving_licence_classes"], lines)
                return 0, 0
            are_new = await cursor.fetchall()
        return sum(are_new), len(are_new) - sum(are_new)

    async def add_import(self, values: Mapping[str, object]) -> str:
        """Write down that a file was taken in; returns the import's id."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["insert_import"], values)
            return str(await cursor.fetchone())
