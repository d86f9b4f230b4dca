# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers as somebody looks at them: a list, one with everything about it, what is public."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.errors import InvalidFilterError
from central.procedures.types import (
    ActionName,
    Dossier,
    DossierCode,
    DossierEvent,
    DossierId,
    DossierState,
    Fact,
    Paper,
    Term,
)
from central.registry.types import Party, Vehicle

PAGE_SIZE_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A paper of the procedure beside what was handed in of it.

    Attributes:
        is_required: Whether it is required for this dossier.
        handed_in: ``None`` when it was not handed in.
        is_asked_for: Whether the open supplement request names it.
    """

    paper: str
    name: Term
    is_required: bool
    handed_in: Paper | None
    is_asked_for: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleAction:
    """An action that the state allows and the user may do."""

    action: ActionName
    name: Term
    needs_reason: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierRecord:
    """Everything about one dossier, for an official.

    Attributes:
        procedure_name: As its own version names it.
        state_name: State in words of its own version.
        vehicle: ``None`` for procedures that are not about a vehicle.
        papers: In the order of the procedure.
        facts: What the procedure's guards find today; an ended dossier has the facts of its
            decision.
        actions: What this user may do now, in the order of the procedure.
        events: Oldest first.
    """

    dossier: Dossier
    procedure_name: Term
    state_name: Term
    applicant: Party
    vehicle: Vehicle | None
    papers: tuple[PaperLine, ...]
    facts: tuple[Fact, ...]
    actions: tuple[PossibleAction, ...]
    events: tuple[DossierEvent, ...]


class OpenState(StrEnum):
    """Which dossiers a list shows by their end."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFilter:
    """Which dossiers to list; an empty part does not restrict.

    Attributes:
        open_state: Open ones by appointment, overdue first and those whose clock stands still
            last; ended ones newest first.
        taken_in_by: Only those that this user took in.
        code: Part of a code.
    """

    open_state: OpenState = OpenState.OPEN
    states: tuple[DossierState, ...] = ()
    procedure_id: str | None = None
    taken_in_by: str | None = None
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierCursor:
    """The last dossier of a page; the next page holds later ones.

    Attributes:
        at: Its appointment in a list of open dossiers, its end in a list of ended ones.
        is_paused: Whether its clock stands still: such dossiers come after all whose clock runs.
    """

    at: datetime
    dossier_id: UUID
    is_paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierPageRequest:
    """How much to return, and from where."""

    size: int = 50
    after: DossierCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= PAGE_SIZE_MAX:
            raise InvalidFilterError(f"a page has 1 to {PAGE_SIZE_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierSummary:
    """A dossier as a row of a table.

    Attributes:
        plate_text: Plate of the vehicle on the day of receipt; ``None`` when it bore none.
    """

    id: DossierId
    code: DossierCode
    procedure_id: str
    procedure_name: Term
    state: DossierState
    state_name: Term
    applicant_name: str
    plate_text: str | None
    received_at: datetime
    due_at: datetime
    remaining_minutes: int | None
    supplements: int
    ended_at: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierPage:
    """One page of dossiers; ``next`` is ``None`` on the last one."""

    dossiers: tuple[DossierSummary, ...]
    next: DossierCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNotice:
    """A notice as anybody with the code may read it."""

    at: datetime
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStatus:
    """What anybody may know who has the code: nothing about persons, vehicles or officials.

    Attributes:
        state_name: State in words for citizens.
        due_at: Appointment; ``None`` while the clock stands still, and after the end.
        missing: Papers that are asked for, in words. Reasons are free text and may name somebody:
            they stand on the papers that the applicant gets, not here, since codes can be guessed.
    """

    code: DossierCode
    procedure_name: Term
    state: DossierState
    state_name: Term
    received_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    missing: tuple[Term, ...] = ()
    notices: tuple[PublicNotice, ...] = field(default=())
