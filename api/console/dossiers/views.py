# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers as templates need them: words and times already in one language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from api.console.dossiers.facts import FactView, fact_view, fact_view_today, word, working_time
from api.console.dossiers.query import DOSSIERS_PATH
from api.console.dossiers.signatures import SignatureState
from api.console.plates import plate_lines, plate_words
from api.console.views import PlateView
from api.pages.i18n import Speech
from central.documents.types import Document, DocumentId
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.identity.types import User
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
_SIGNATURE_LOOKS: Final[Mapping[SignatureState | None, tuple[str, str]]] = MappingProxyType(
    {
        SignatureState.GOOD: ("ok", "shield"),
        SignatureState.BROKEN: ("bad", "warning"),
        SignatureState.UNTRUSTED: ("warn", "warning"),
        SignatureState.UNCHECKED: ("plain", "unknown"),
        None: ("plain", ""),
    }
)


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
    """A paper that was given out.

    Attributes:
        signature: What the check of its signature found; ``None`` for an unsigned paper.
        tone: ``ok``, ``warn``, ``bad`` or ``plain``; icon and words say the same.
    """

    kind: str
    url: str
    made: str
    revision: int
    signed_by: str | None
    signed: str
    signature: SignatureState | None
    tone: str
    icon: str


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
        received=speech.minute_and_date(summary.received_at),
        due_time=speech.minute(summary.due_at),
        due_date=speech.local_date(summary.due_at),
        ended=speech.minute_and_date(summary.ended_at) if summary.ended_at else None,
        left=working_time(paused, speech) if paused is not None else None,
        is_overdue=is_running and summary.due_at < now,
        is_late=summary.is_late,
    )


def clock_view(
    record: DossierRecord, speech: Speech, *, minutes_left: int | None, now: datetime
) -> ClockView:
    """The clock; ``minutes_left`` is what the calendar says of a running one."""
    dossier = record.dossier
    due = speech.minute_and_date(dossier.due_at)
    if dossier.ended_at is not None:
        ended = speech.minute_and_date(dossier.ended_at)
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
    user: User,
    now: datetime,
) -> DossierView:
    """One dossier in full for a user; ``procedure`` is its own version."""
    dossier, today = record.dossier, local_date(now)
    tone, icon = STATE_LOOKS[dossier.state]
    may_decide = not dossier.is_open or user.may(Permission.DECIDE_DOSSIERS)
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
        received=speech.minute_and_date(dossier.received_at),
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
        facts=tuple(
            fact_view_today(each, procedure, speech, today=today, may_decide=may_decide)
            for each in record.facts
        ),
        actions=tuple(
            ActionView(
                action=each.action, name=word(each.name, speech), needs_reason=each.needs_reason
            )
            for each in record.actions
        ),
        events=tuple(_event_view(each, procedure, speech) for each in record.events),
    )


def documents_view(
    code: str,
    documents: Sequence[Document],
    speech: Speech,
    *,
    signatures: Mapping[DocumentId, SignatureState],
    is_awaiting: bool,
) -> DocumentsView:
    """The papers that count, in the order in which they were made.

    Args:
        code: Code of the dossier.
        documents: Newest revision of every kind.
        speech: Language.
        signatures: What was found of the signed ones.
        is_awaiting: Whether a paper is still being made.
    """
    url = f"{DOSSIERS_PATH}/{code}"
    return DocumentsView(
        rows=tuple(
            _document_view(each, speech, url=url, signature=signatures.get(each.id))
            for each in sorted(documents, key=lambda document: document.made_at)
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


def newest_of_each(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The newest revision of every kind.

    Args:
        documents: Newest first.
    """
    newest: dict[str, Document] = {}
    for document in documents:
        newest.setdefault(document.kind, document)
    return tuple(newest.values())


def _document_view(
    document: Document, speech: Speech, *, url: str, signature: SignatureState | None
) -> DocumentView:
    tone, icon = _SIGNATURE_LOOKS[signature]
    return DocumentView(
        kind=document.kind,
        url=f"{url}/papers/{document.kind}.pdf",
        made=speech.minute_and_date(document.made_at),
        revision=document.revision,
        signed_by=document.signed_by,
        signed=speech.time_and_date(document.signed_at) if document.signed_at else "",
        signature=signature,
        tone=tone,
        icon=icon,
    )


def _paper_view(line: PaperLine, procedure: Procedure, speech: Speech) -> PaperView:
    rule = procedure.paper(line.paper)
    handed_in = line.handed_in
    return PaperView(
        paper=line.paper,
        name=word(line.name, speech),
        is_required=line.is_required,
        is_asked_for=line.is_asked_for,
        form=handed_in.form if handed_in else None,
        received=speech.minute_and_date(handed_in.received_at) if handed_in else "",
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
