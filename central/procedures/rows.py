# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the database as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from central.procedures.types import (
    ActionName,
    Channel,
    Dossier,
    DossierCode,
    DossierEvent,
    DossierId,
    DossierState,
    Fact,
    Paper,
    PaperForm,
    RequestValue,
)
from central.registry.types import PartyId, VehicleId

_FACTS: Final = TypeAdapter(tuple[Fact, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierRow:
    """A row of ``dossier``."""

    id: UUID
    code: str
    procedure_id: str
    procedure_version: int
    submission_key: str
    channel: str
    state: str
    version: int
    applicant_id: UUID
    taken_in_by: str
    submitted_by: str
    contact_phone: str | None
    contact_email: str | None
    vehicle_id: UUID | None
    request: Mapping[str, RequestValue]
    received_at: datetime
    due_at: datetime
    calendar_version: int
    remaining_minutes: int | None
    supplements: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """A row of ``dossier_paper``."""

    paper: str
    form: str
    received_at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """A row of ``dossier_event``; ``facts`` as JSON."""

    seq: int
    occurred_at: datetime
    action: str
    state_before: str | None
    state_after: str
    actor: str
    note: str
    due_at: datetime
    papers: Sequence[str]
    facts: Sequence[Mapping[str, Any]]  # JSON; checked when it becomes facts


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """A dossier as a list shows it."""

    id: UUID
    code: str
    procedure_id: str
    procedure_version: int
    state: str
    applicant_name: str
    plate_text: str | None
    received_at: datetime
    due_at: datetime
    remaining_minutes: int | None
    supplements: int
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRow:
    """How many dossiers are open."""

    open: int
    overdue: int
    paused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarRow:
    """A row of ``working_calendar``."""

    version: int
    covers_from: date
    covers_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDayRow:
    """A row of ``working_calendar_day``."""

    day: date
    is_working: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarHoursRow:
    """A row of ``working_calendar_hours``."""

    valid_from: date
    opens_at: time
    closes_at: time


def dossier(row: DossierRow) -> Dossier:
    """A dossier of a row."""
    return Dossier(
        id=DossierId(row.id),
        code=DossierCode(row.code),
        procedure_id=row.procedure_id,
        procedure_version=row.procedure_version,
        channel=Channel(row.channel),
        state=DossierState(row.state),
        version=row.version,
        applicant_id=PartyId(row.applicant_id),
        taken_in_by=row.taken_in_by,
        submitted_by=row.submitted_by,
        contact_phone=row.contact_phone,
        contact_email=row.contact_email,
        vehicle_id=VehicleId(row.vehicle_id) if row.vehicle_id else None,
        request=row.request,
        received_at=row.received_at,
        due_at=row.due_at,
        calendar_version=row.calendar_version,
        remaining_minutes=row.remaining_minutes,
        supplements=row.supplements,
        ended_at=row.ended_at,
    )


def paper(row: PaperRow) -> Paper:
    """A paper of a row."""
    return Paper(
        paper=row.paper, form=PaperForm(row.form), received_at=row.received_at, note=row.note
    )


def event(row: EventRow) -> DossierEvent:
    """An event of a row."""
    return DossierEvent(
        seq=row.seq,
        occurred_at=row.occurred_at,
        action=ActionName(row.action),
        state_before=DossierState(row.state_before) if row.state_before else None,
        state_after=DossierState(row.state_after),
        actor=row.actor,
        note=row.note,
        due_at=row.due_at,
        papers=tuple(row.papers),
        facts=_FACTS.validate_python(row.facts),
    )


def facts_as_json(facts: Sequence[Fact]) -> object:
    """Facts as they are kept with an event."""
    return _FACTS.dump_python(tuple(facts), mode="json")
