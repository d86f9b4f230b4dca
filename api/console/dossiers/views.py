# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers as templates need them: words and times already in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from api.console.dossiers.facts import FactView, fact_view, word, working_time
from api.console.dossiers.query import DOSSIERS_PATH
from api.console.plates import plate_lines, plate_words
from api.console.views import PlateView
from api.pages.i18n import Speech
from central.documents.types import Document
from central.domain.local_time import local_date
from central.procedures.rulebook.definition import Procedure
from central.procedures.types import DossierEvent, DossierState
from central.procedures.views import DossierRecord, DossierSummary, PaperLine
from central.registry.types import Party, Vehicle

STATE_LOOKS: Final[Mapping[DossierState, tuple[str, str]]] = MappingProxyType(
    {
        DossierState.RECEIVED: ("accent", "play"),
        DossierState.SUPPLEMENT_REQUESTED: ("warn", "pause"),
        DossierState.APPROVED: ("ok", "sure"),
        DossierState.REJECTED: ("bad", "close"),
        DossierState.WITHDRAWN: ("plain", "left"),
        DossierState.RETURNED: ("ok", "sure"),
    }
)
"""Tone and icon; the word stands beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierRowView:
    """A dossier as a row.

    Attributes:
        is_overdue: Whether it is open, its clock runs, and the appointment has passed.
        is_late: Whether the index counts it as late, for that or another reason.
        left: Working time that is left while the clock stands still; ``None`` otherwise.
    """

    code: str
    url: str
    procedure: str
    state: str
    state_name: str
    tone: str
    icon: str
    applicant: str
    plate: str
    received: str
    due_time: str
    due_date: str
    ended: str | None
    left: str | None
    is_overdue: bool
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperView:
    """A paper of the procedure beside what was handed in of it."""

    paper: str
    name: str
    is_required: bool
    is_asked_for: bool
    form: str | None
    received: str
    note: str
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One thing that was done."""

    action: str
    time_and_date: str
    actor: str
    note: str
    papers: tuple[str, ...]
    facts: tuple[FactView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionView:
    """An act that the user may do now."""

    action: str
    name: str
    needs_reason: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """The dossier's clock.

    Attributes:
        kind: ``runs``, ``overdue``, ``stands`` or ``ended``.
        left: Working time that is left, or since the appointment; empty where not known.
    """

    kind: str
    due: str
    left: str
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """A paper that was given out."""

    kind: str
    url: str
    made: str
    revision: int
    signed_by: str | None
    signed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsView:
    """Papers that were given out, the newest of each kind.

    Attributes:
        refresh_url: Address to look again while a paper is being made; ``None`` when none is.
    """

    rows: tuple[DocumentView, ...]
    refresh_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierView:
    """One dossier in full."""

    code: str
    url: str
    version: int
    procedure: str
    legal_basis: str
    state: str
    state_name: str
    tone: str
    icon: str
    is_late: bool
    supplements: int
    channel: str
    received: str
    taken_in_by: str
    clock: ClockView
    applicant: Party
    submitted_by: str
    contact_phone: str
    contact_email: str
    plate: PlateView | None
    vehicle_kind: str | None
    vehicle_url: str | None
    request: tuple[tuple[str, str], ...]
    papers: tuple[PaperView, ...]
    facts: tuple[FactView, ...]
    actions: tuple[ActionView, ...]
    events: tuple[EventView, ...]


def row_view(summary: DossierSummary, speech: Speech, *, now: datetime) -> DossierRowView:
    """A dossier as a row."""
    tone, icon = STATE_LOOKS[summary.state]
    is_running = summary.ended_at is None and summary.remaining_minutes is None
    paused = summary.remaining_minutes
    return DossierRowView(
        code=summary.code,
        url=f"{DOSSIERS_PATH}/{summary.code}",
        procedure=word(summary.procedure_name, speech),
        state=summary.state,
        state_name=word(summary.state_name, speech),
        tone=tone,
        icon=icon,
        applicant=summary.applicant_name,
        plate=plate_words(summary.plate_text) if summary.plate_text else "",
        received=speech.time_and_date(summary.received_at),
        due_time=speech.time(summary.due_at),
        due_date=speech.local_date(summary.due_at),
        ended=speech.time_and_date(summary.ended_at) if summary.ended_at else None,
        left=working_time(paused, speech) if paused is not None else None,
        is_overdue=is_running and summary.due_at < now,
        is_late=summary.is_late,
    )


def clock_view(
    record: DossierRecord, speech: Speech, *, minutes_left: int | None, now: datetime
) -> ClockView:
    """The clock; ``minutes_left`` is what the calendar says of a running one."""
    dossier = record.dossier
    due = speech.time_and_date(dossier.due_at)
    if dossier.ended_at is not None:
        ended = speech.time_and_date(dossier.ended_at)
        return ClockView(kind="ended", due=due, left="", ended=ended)
    if dossier.remaining_minutes is not None:
        left = working_time(dossier.remaining_minutes, speech)
        return ClockView(kind="stands", due=due, left=left, ended=None)
    left = working_time(minutes_left, speech) if minutes_left is not None else ""
    kind = "overdue" if dossier.due_at < now else "runs"
    return ClockView(kind=kind, due=due, left=left, ended=None)


def dossier_view(
    record: DossierRecord,
    procedure: Procedure,
    speech: Speech,
    *,
    clock: ClockView,
    now: datetime,
) -> DossierView:
    """One dossier in full; ``procedure`` is its own version."""
    dossier, today = record.dossier, local_date(now)
    tone, icon = STATE_LOOKS[dossier.state]
    return DossierView(
        code=dossier.code,
        url=f"{DOSSIERS_PATH}/{dossier.code}",
        version=dossier.version,
        procedure=word(record.procedure_name, speech),
        legal_basis=procedure.legal_basis,
        state=dossier.state,
        state_name=word(record.state_name, speech),
        tone=tone,
        icon=icon,
        is_late=dossier.is_late(now=now),
        supplements=dossier.supplements,
        channel=dossier.channel,
        received=speech.time_and_date(dossier.received_at),
        taken_in_by=dossier.taken_in_by,
        clock=clock,
        applicant=record.applicant,
        submitted_by=dossier.submitted_by,
        contact_phone=dossier.contact_phone or "",
        contact_email=dossier.contact_email or "",
        plate=plate_view(record.vehicle, today=today),
        vehicle_kind=record.vehicle.kind if record.vehicle else None,
        vehicle_url=f"/console/vehicles/{record.vehicle.id}" if record.vehicle else None,
        request=tuple(
            (word(field.name, speech), word(field.words(dossier.request[field.field]), speech))
            for field in procedure.request
        ),
        papers=tuple(_paper_view(each, procedure, speech) for each in record.papers),
        facts=tuple(fact_view(each, procedure, speech, today=today) for each in record.facts),
        actions=tuple(
            ActionView(
                action=each.action, name=word(each.name, speech), needs_reason=each.needs_reason
            )
            for each in record.actions
        ),
        events=tuple(_event_view(each, procedure, speech) for each in record.events),
    )


def documents_view(
    code: str, documents: Sequence[Document], speech: Speech, *, is_awaiting: bool
) -> DocumentsView:
    """The newest of every kind of paper, in the order in which they were made.

    Args:
        code: Code of the dossier.
        documents: Newest first.
        speech: Language.
        is_awaiting: Whether a paper is still being made.
    """
    newest: dict[str, Document] = {}
    for document in documents:
        newest.setdefault(document.kind, document)
    url = f"{DOSSIERS_PATH}/{code}"
    return DocumentsView(
        rows=tuple(
            DocumentView(
                kind=each.kind,
                url=f"{url}/papers/{each.kind}.pdf",
                made=speech.time_and_date(each.made_at),
                revision=each.revision,
                signed_by=each.signed_by,
                signed=speech.time_and_date(each.signed_at) if each.signed_at else "",
            )
            for each in sorted(newest.values(), key=lambda document: document.made_at)
        ),
        refresh_url=f"{url}/papers" if is_awaiting else None,
    )


def plate_view(vehicle: Vehicle | None, *, today: date) -> PlateView | None:
    """The plate that a vehicle bears."""
    plate = vehicle.plate_on(today) if vehicle else None
    if plate is None:
        return None
    lines = plate_lines(plate.text, layout=None, vehicle_class=None, colour=plate.colour)
    return PlateView(lines=lines, colour=plate.colour)


def _paper_view(line: PaperLine, procedure: Procedure, speech: Speech) -> PaperView:
    rule = procedure.paper(line.paper)
    handed_in = line.handed_in
    return PaperView(
        paper=line.paper,
        name=word(line.name, speech),
        is_required=line.is_required,
        is_asked_for=line.is_asked_for,
        form=handed_in.form if handed_in else None,
        received=speech.time_and_date(handed_in.received_at) if handed_in else "",
        note=handed_in.note if handed_in else "",
        accepted=tuple(rule.forms) if rule else (),
    )


def _event_view(event: DossierEvent, procedure: Procedure, speech: Speech) -> EventView:
    named = (procedure.paper(name) for name in event.papers)
    happened_on = local_date(event.occurred_at)
    return EventView(
        action=event.action,
        time_and_date=speech.time_and_date(event.occurred_at),
        actor=event.actor,
        note=event.note,
        papers=tuple(word(paper.name, speech) for paper in named if paper),
        facts=tuple(fact_view(each, procedure, speech, today=happened_on) for each in event.facts),
    )
