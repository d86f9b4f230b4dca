# SPDX-License-Identifier: AGPL-3.0-or-later
"""Procedures and the official calendar in the database: loaded from files, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.domain.calendar_law import (
    DAYS_MAX,
    LAW_FOLDER,
    StatedCalendar,
    calendar_files,
    calendar_tree,
    parse_calendar,
)
from central.domain.working_time import OfficeHours, OfficeSpan, WorkingCalendar
from central.procedures.errors import (
    NoCalendarError,
    ProcedureChangedError,
    ProcedureFileError,
    ProcedureNotFoundError,
)
from central.procedures.rows import CalendarDayRow, CalendarHoursRow, CalendarRow
from central.procedures.rulebook.checking import (
    DEFINITIONS,
    ReadProcedure,
    parse_procedure,
    procedure_files,
    read_procedure,
    tree_sha256,
)
from central.procedures.rulebook.definition import Procedure

QUERIES: Final = QueryFile.beside(__file__)
PROCEDURES_MAX: Final = 1000
VERSIONS_MAX: Final = 1000
HOURS_MAX: Final = 200
CALENDAR_NAME: Final = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What loading did.

    Attributes:
        new: Versions that were not there, such as ``badge v1``.
        known: Versions that were there with the same contents.
    """

    new: tuple[str, ...]
    known: tuple[str, ...]


class ProcedureLibrary:
    """Versions of procedures and of the calendar, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._versions: dict[tuple[str, int], Procedure] = {}

    async def in_force(self, *, on: date) -> tuple[Procedure, ...]:
        """Every procedure that is in force on a day, by id."""
        return tuple(await self._in_force(None, on=on))

    async def procedure(self, procedure_id: str, *, on: date) -> Procedure:
        """The version of a procedure under which a dossier of this day comes.

        Raises:
            ProcedureNotFoundError: None is in force.
        """
        found = await self._in_force(procedure_id, on=on)
        if not found:
            raise ProcedureNotFoundError(procedure_id, on=on)
        return found[0]

    async def version(self, procedure_id: str, version: int) -> Procedure:
        """A version that a dossier refers to; it was loaded once and is there for ever."""
        key = (procedure_id, version)
        if key not in self._versions:
            async with self._connection.cursor(row_factory=scalar_row) as cursor:
                await cursor.execute(
                    QUERIES["select_procedure_version"],
                    {"procedure_id": procedure_id, "version": version},
                )
                tree = await cursor.fetchone()
            self._versions[key] = parse_procedure(tree, file_name=f"{procedure_id} v{version}")
        return self._versions[key]

    async def calendar(self) -> WorkingCalendar:
        """The newest calendar: the one that deadlines are counted with.

        Raises:
            NoCalendarError: None was loaded.
        """
        async with self._connection.cursor(row_factory=class_row(CalendarRow)) as cursor:
            await cursor.execute(QUERIES["select_newest_calendar"])
            row = await cursor.fetchone()
        if row is None:
            raise NoCalendarError
        async with self._connection.cursor(row_factory=class_row(CalendarDayRow)) as cursor:
            await cursor.execute(
                QUERIES["select_calendar_days"], {"version": row.version, "rows_max": DAYS_MAX}
            )
            days = await cursor.fetchall()
        async with self._connection.cursor(row_factory=class_row(CalendarHoursRow)) as cursor:
            await cursor.execute(
                QUERIES["select_calendar_hours"], {"version": row.version, "rows_max": HOURS_MAX}
            )
            hours = await cursor.fetchall()
        return WorkingCalendar(
            version=row.version,
            covers_from=row.covers_from,
            covers_until=row.covers_until,
            exceptions={each.day: each.is_working for each in days},
            hours=_office_hours(hours),
        )

    async def keep_procedure(self, read: ReadProcedure, *, now: datetime) -> bool:
        """Keep a version; returns whether it is new.

        Raises:
            ProcedureChangedError: It was kept before with other contents.
            ProcedureFileError: It begins before an older version, or after a newer one.
        """
        procedure = read.procedure
        await self._refuse_disorder(procedure)
        is_new = await self._inserted(
            "insert_procedure_version",
            {
                "procedure_id": procedure.id,
                "version": procedure.version,
                "valid_from": procedure.valid_from,
                "valid_until": procedure.valid_until,
                "sha256": read.sha256,
                "definition": Jsonb(read.tree),
                "loaded_at": now,
            },
        )
        if not is_new:
            await self._refuse_change(
                "select_procedure_hash",
                {"procedure_id": procedure.id, "version": procedure.version},
                name=procedure.id,
                version=procedure.version,
                sha256=read.sha256,
            )
        return is_new

    async def keep_calendar(self, stated: StatedCalendar, *, sha256: bytes, now: datetime) -> bool:
        """Keep a version of the calendar; returns whether it is new.

        Raises:
            ProcedureChangedError: It was kept before with other contents.
        """
        version = {"version": stated.version}
        is_new = await self._inserted(
            "insert_calendar",
            {
                **version,
                "covers_from": stated.covers_from,
                "covers_until": stated.covers_until,
                "sha256": sha256,
                "source": stated.source,
                "confidence": stated.confidence,
                "loaded_at": now,
            },
        )
        if not is_new:
            await self._refuse_change(
                "select_calendar_hash",
                version,
                name=CALENDAR_NAME,
                version=stated.version,
                sha256=sha256,
            )
            return False
        async with self._connection.cursor() as cursor:
            await cursor.executemany(QUERIES["insert_calendar_day"], _day_rows(stated))
            await cursor.executemany(QUERIES["insert_calendar_hours"], _hours_rows(stated))
        return True

    async def _in_force(self, procedure_id: str | None, *, on: date) -> Sequence[Procedure]:
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_procedures_in_force"],
                {"day": on, "procedure_id": procedure_id, "rows_max": PROCEDURES_MAX},
            )
            trees = await cursor.fetchall()
        return [parse_procedure(tree, file_name="procedure_version") for tree in trees]

    async def _refuse_disorder(self, procedure: Procedure) -> None:
        """Stop when versions would not follow each other by their first day."""
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(
                QUERIES["select_procedure_starts"],
                {"procedure_id": procedure.id, "rows_max": VERSIONS_MAX},
            )
            others = await cursor.fetchall()
        for other in others:
            is_older = other["version"] < procedure.version
            is_newer = other["version"] > procedure.version
            begins_on: date = other["valid_from"]
            if (is_older and begins_on >= procedure.valid_from) or (
                is_newer and begins_on <= procedure.valid_from
            ):
                raise ProcedureFileError(
                    f"{procedure.id}/v{procedure.version}.yaml",
                    [f"valid_from does not fit version {other['version']} of {begins_on}"],
                )

    async def _inserted(self, query: str, parameters: dict[str, object]) -> bool:
        cursor = await self._connection.execute(QUERIES[query], parameters)
        return cursor.rowcount == 1

    async def _refuse_change(
        self, query: str, parameters: dict[str, Any], *, name: str, version: int, sha256: bytes
    ) -> None:
        """Stop when a version was loaded with other contents."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            known = await cursor.fetchone()
        if known != sha256:
            raise ProcedureChangedError(name, version=version)


async def load_procedures(
    connection: AsyncConnection,
    *,
    now: datetime,
    definitions: Path = DEFINITIONS,
    calendars: Path = LAW_FOLDER,
) -> Loaded:
    """Load every version of every procedure and of the calendar that is not there yet.

    Raises:
        ProcedureFileError: A file is wrong; nothing is loaded if the caller rolls back.
        ProcedureChangedError: A loaded version was changed in its file.
    """
    library = ProcedureLibrary(connection)
    done: dict[str, bool] = {}
    for path in calendar_files(calendars):
        text = path.read_text("utf-8")
        try:
            stated = parse_calendar(text, file_name=path.name)
        except ValueError as error:
            raise ProcedureFileError(path.name, [str(error)]) from error
        done[f"{CALENDAR_NAME} v{stated.version}"] = await library.keep_calendar(
            stated, sha256=tree_sha256(calendar_tree(text)), now=now
        )
    for path in procedure_files(definitions):
        read = read_procedure(path)
        done[f"{read.procedure.id} v{read.procedure.version}"] = await library.keep_procedure(
            read, now=now
        )
    return Loaded(
        new=tuple(name for name, is_new in done.items() if is_new),
        known=tuple(name for name, is_new in done.items() if not is_new),
    )


def _office_hours(rows: Sequence[CalendarHoursRow]) -> tuple[OfficeHours, ...]:
    """Office hours by their first day; the rows are in order."""
    by_start: dict[date, list[OfficeSpan]] = {}
    for row in rows:
        by_start.setdefault(row.valid_from, []).append(
            OfficeSpan(opens_at=row.opens_at, closes_at=row.closes_at)
        )
    return tuple(OfficeHours(valid_from=day, spans=tuple(spans)) for day, spans in by_start.items())


def _day_rows(stated: StatedCalendar) -> list[dict[str, object]]:
    return [
        {
            "version": stated.version,
            "day": each.day,
            "is_working": each.is_working,
            "name_vi": each.name_vi,
            "source": each.source,
            "confidence": each.confidence,
        }
        for each in stated.days
    ]


def _hours_rows(stated: StatedCalendar) -> list[dict[str, object]]:
    return [
        {
            "version": stated.version,
            "valid_from": each.valid_from,
            "opens_at": span.opens_at,
            "closes_at": span.closes_at,
            "source": each.source,
            "confidence": each.confidence,
        }
        for each in stated.office_hours
        for span in each.spans
    ]
