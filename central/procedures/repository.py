# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of dossiers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.procedures.rows import (
    CountRow,
    DossierRow,
    EventRow,
    PaperRow,
    SummaryRow,
    dossier,
    event,
    facts_as_json,
    paper,
)
from central.procedures.types import (
    ActionName,
    Dossier,
    DossierEvent,
    DossierState,
    Fact,
    HandedIn,
    Paper,
)
from central.procedures.views import DossierFilter, DossierPageRequest, OpenState

QUERIES: Final = QueryFile.beside(__file__)
SERIAL_MAX: Final = 9999
PAPERS_MAX: Final = 200
EVENTS_MAX: Final = 500
COUNT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an action leads to."""

    state: DossierState
    due_at: datetime
    calendar_version: int
    remaining_minutes: int | None
    supplements: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What was done with a dossier, before it has a number."""

    occurred_at: datetime
    action: ActionName
    state_before: DossierState | None
    state_after: DossierState
    actor: str
    note: str
    due_at: datetime
    papers: Sequence[str]
    facts: Sequence[Fact]


class DossierRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_submission(self, submission_key: str) -> None:
        """Wait until nobody else takes in a dossier with this key."""
        await self._connection.execute(
            QUERIES["lock_submission"], {"submission_key": submission_key}
        )

    async def next_serial(self, *, agency_code: str, received_on: date) -> int | None:
        """The next number of a day from 1 on; ``None`` when there is none left."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["next_serial"],
                {
                    "agency_code": agency_code,
                    "received_on": received_on,
                    "serial_max": SERIAL_MAX,
                },
            )
            found = await cursor.fetchone()
        return None if found is None else int(found)

    async def add(self, new: Dossier, *, submission_key: str) -> None:
        """Keep a dossier that was taken in."""
        await self._connection.execute(
            QUERIES["insert_dossier"],
            {
                "id": new.id,
                "code": new.code,
                "procedure_id": new.procedure_id,
                "procedure_version": new.procedure_version,
                "submission_key": submission_key,
                "channel": new.channel,
                "state": new.state,
                "applicant_id": new.applicant_id,
                "taken_in_by": new.taken_in_by,
                "submitted_by": new.submitted_by,
                "contact_phone": new.contact_phone,
                "contact_email": new.contact_email,
                "vehicle_id": new.vehicle_id,
                "request": Jsonb(dict(new.request)),
                "received_at": new.received_at,
                "due_at": new.due_at,
                "calendar_version": new.calendar_version,
            },
        )

    async def put_papers(
        self, dossier_id: UUID, papers: Sequence[HandedIn], *, now: datetime
    ) -> None:
        """Put papers into a dossier; a paper that was there is replaced."""
        for each in papers:
            await self._connection.execute(
                QUERIES["upsert_paper"],
                {
                    "dossier_id": dossier_id,
                    "paper": each.paper,
                    "form": each.form,
                    "received_at": now,
                    "note": each.note,
                },
            )

    async def add_event(self, dossier_id: UUID, new: NewEvent) -> None:
        """Write down what was done."""
        await self._connection.execute(
            QUERIES["insert_event"],
            {
                "dossier_id": dossier_id,
                "occurred_at": new.occurred_at,
                "action": new.action,
                "state_before": new.state_before,
                "state_after": new.state_after,
                "actor": new.actor,
                "note": new.note,
                "due_at": new.due_at,
                "papers": list(new.papers),
                "facts": Jsonb(facts_as_json(new.facts)),
            },
        )

    async def by_code(self, code: str) -> Dossier | None:
        """One dossier."""
        return _dossier(await self._one("select_dossier", {"code": code}))

    async def by_id(self, dossier_id: UUID) -> Dossier | None:
        """One dossier, for jobs."""
        return _dossier(await self._one("select_dossier_by_id", {"dossier_id": dossier_id}))

    async def lock(self, code: str) -> Dossier | None:
        """One dossier that is about to change; others wait."""
        return _dossier(await self._one("lock_dossier", {"code": code}))

    async def by_submission(self, submission_key: str) -> Dossier | None:
        """The dossier that was taken in with a key."""
        return _dossier(
            await self._one("select_dossier_by_submission", {"submission_key": submission_key})
        )

    async def change(self, before: Dossier, change: Change) -> bool:
        """Store what an action leads to; ``False`` when the version is not the newest."""
        cursor = await self._connection.execute(
            QUERIES["update_dossier"],
            {
                "dossier_id": before.id,
                "version": before.version,
                "state": change.state,
                "due_at": change.due_at,
                "calendar_version": change.calendar_version,
                "remaining_minutes": change.remaining_minutes,
                "supplements": change.supplements,
                "ended_at": change.ended_at,
            },
        )
        return cursor.rowcount == 1

    async def papers(self, dossier_id: UUID) -> tuple[Paper, ...]:
        """What was handed in."""
        async with self._connection.cursor(row_factory=class_row(PaperRow)) as cursor:
            await cursor.execute(
                QUERIES["select_papers"], {"dossier_id": dossier_id, "rows_max": PAPERS_MAX}
            )
            return tuple(map(paper, await cursor.fetchall()))

    async def events(self, dossier_id: UUID) -> tuple[DossierEvent, ...]:
        """What was done, oldest first."""
        async with self._connection.cursor(row_factory=class_row(EventRow)) as cursor:
            await cursor.execute(
                QUERIES["select_events"], {"dossier_id": dossier_id, "rows_max": EVENTS_MAX}
            )
            return tuple(map(event, await cursor.fetchall()))

    async def page(
        self, wanted: DossierFilter, page: DossierPageRequest
    ) -> tuple[Sequence[SummaryRow], bool]:
        """Rows of one page, and whether there are more."""
        is_open = wanted.open_state is OpenState.OPEN
        after = page.after
        async with self._connection.cursor(row_factory=class_row(SummaryRow)) as cursor:
            await cursor.execute(
                QUERIES["list_open_dossiers" if is_open else "list_ended_dossiers"],
                {
                    "states": [each.value for each in wanted.states] or None,
                    "procedure_id": wanted.procedure_id,
                    "taken_in_by": wanted.taken_in_by,
                    "code_like": f"%{_escaped(wanted.code)}%" if wanted.code else None,
                    "after_at": after.at if after else None,
                    "after_id": after.dossier_id if after else None,
                    "after_paused": after.is_paused if after else None,
                    "rows_max": page.size + 1,
                },
            )
            rows = await cursor.fetchall()
        return rows[: page.size], len(rows) > page.size

    async def of_vehicle(self, vehicle_id: UUID, *, limit: int) -> Sequence[SummaryRow]:
        """Newest dossiers about a vehicle."""
        async with self._connection.cursor(row_factory=class_row(SummaryRow)) as cursor:
            await cursor.execute(
                QUERIES["list_dossiers_of_vehicle"], {"vehicle_id": vehicle_id, "rows_max": limit}
            )
            return await cursor.fetchall()

    async def count_open(self, *, now: datetime) -> CountRow:
        """How many dossiers are open, at most ``COUNT_MAX``."""
        async with self._connection.cursor(row_factory=class_row(CountRow)) as cursor:
            await cursor.execute(
                QUERIES["count_open_dossiers"], {"now": now, "rows_max": COUNT_MAX}
            )
            return await cursor.fetchone() or CountRow(open=0, overdue=0, paused=0)

    async def _one(self, query: str, parameters: Mapping[str, object]) -> DossierRow | None:
        async with self._connection.cursor(row_factory=class_row(DossierRow)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            return await cursor.fetchone()


def _dossier(row: DossierRow | None) -> Dossier | None:
    return None if row is None else dossier(row)


def _escaped(text: str) -> str:
    """Text in which LIKE finds no wildcards."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
