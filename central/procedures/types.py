# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about dossiers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from central.procedures.errors import InvalidRequestError
from central.registry.types import PartyId, VehicleId

NOTE_LENGTH_MAX: Final = 1000
CODE_PATTERN: Final = r"[A-Z][0-9]{2}(\.[0-9]{1,3}){0,3}-[0-9]{6}-[0-9]{4}"

_KEY: Final = re.compile(r"[A-Za-z0-9:_.-]{8,120}")
_PHONE: Final = re.compile(r"\+?[0-9 ]{8,16}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_NAME_LENGTH_MAX: Final = 200
_REMARK_LENGTH_MAX: Final = 300

DossierId = NewType("DossierId", UUID)
DossierCode = NewType("DossierCode", str)

RequestValue = str | int


class DossierState(StrEnum):
    """Where a dossier stands."""

    RECEIVED = "received"
    SUPPLEMENT_REQUESTED = "supplement_requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    """The result was handed over (đã trả kết quả)."""


OPEN_STATES: Final = frozenset({DossierState.RECEIVED, DossierState.SUPPLEMENT_REQUESTED})
"""States in which a dossier still waits for a decision."""


class Channel(StrEnum):
    """How a dossier came in (KenhThucHien of the national portal)."""

    COUNTER = "counter"
    ONLINE = "online"
    POST = "post"


class PaperForm(StrEnum):
    """As what a paper was handed in."""

    ORIGINAL = "original"
    COPY = "copy"
    ELECTRONIC = "electronic"


class ActionName(StrEnum):
    """What can be done with a dossier; which of them a procedure knows, its file says."""

    TAKE_IN = "take_in"
    REQUEST_SUPPLEMENT = "request_supplement"
    RECEIVE_SUPPLEMENT = "receive_supplement"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    HAND_OVER = "hand_over"


class FactOutcome(StrEnum):
    """What a guard found. Unknown is not failed."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that was looked at for an action, as it stood then.

    Attributes:
        name: Name of the guard that looked, such as ``plate_is_yellow``.
        values: What it saw, such as ``{"colour": "white"}``; dates in ISO form.
        is_obstacle: Whether the action is not possible while this fails.
        source: Where the fact comes from; ``None`` when it comes from the dossier itself.
        as_of: Day on which the source said so; ``None`` when it comes from the dossier itself.
        legal_basis: Why it matters.
    """

    name: str
    outcome: FactOutcome
    values: Mapping[str, RequestValue | None]
    is_obstacle: bool
    source: str | None
    as_of: date | None
    legal_basis: str

    @property
    def stands_against(self) -> bool:
        """Whether the action has to be refused because of it."""
        return self.is_obstacle and self.outcome is FactOutcome.FAILS


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A paper that the applicant hands in.

    Attributes:
        paper: Its name in the procedure, such as ``registration_certificate``.
    """

    paper: str
    form: PaperForm
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.note) > _REMARK_LENGTH_MAX or not self.note.isprintable():
            raise InvalidRequestError("papers", f"need remarks of at most {_REMARK_LENGTH_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDossier:
    """What is taken in.

    Attributes:
        submission_key: Made once by the form; the same key again gives the same dossier.
        submitted_by: Who handed it in, as written on the receipt.
        vehicle_id: ``None`` for procedures that are not about a vehicle.
        request: What is asked for, by the procedure's field names, such as
            ``{"badge_kind": "xe_tai", "years": 3}``.
        papers: Each paper once.
    """

    procedure_id: str
    submission_key: str
    channel: Channel
    applicant_id: PartyId
    submitted_by: str
    contact_phone: str | None
    contact_email: str | None
    vehicle_id: VehicleId | None
    request: Mapping[str, RequestValue]
    papers: tuple[HandedIn, ...]

    def __post_init__(self) -> None:
        if _KEY.fullmatch(self.submission_key) is None:
            raise InvalidRequestError("submission_key", "need 8 to 120 letters and digits")
        if not (
            1 <= len(self.submitted_by.strip()) <= _NAME_LENGTH_MAX
            and self.submitted_by.isprintable()
        ):
            raise InvalidRequestError("submitted_by", "need a name of at most 200 letters")
        if self.contact_phone is not None and _PHONE.fullmatch(self.contact_phone) is None:
            raise InvalidRequestError("contact_phone", "need 8 to 16 digits")
        if self.contact_email is not None and _EMAIL.fullmatch(self.contact_email) is None:
            raise InvalidRequestError("contact_email", "need name@domain")
        names = [each.paper for each in self.papers]
        if len(set(names)) != len(names):
            raise InvalidRequestError("papers", "a paper stands twice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as it lies in a dossier."""

    paper: str
    form: PaperForm
    received_at: datetime
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierEvent:
    """One thing that was done with a dossier; the row of them is the truth.

    Attributes:
        seq: 1 for the taking in, then without gaps.
        actor: User name.
        note: Reason or remark, as the applicant may read it.
        due_at: Appointment after the action.
        papers: Papers that were handed in, or asked for by a request for a supplement.
        facts: What the action rested on, as it stood then.
    """

    seq: int
    occurred_at: datetime
    action: ActionName
    state_before: DossierState | None
    state_after: DossierState
    actor: str
    note: str
    due_at: datetime
    papers: tuple[str, ...]
    facts: tuple[Fact, ...]

    @property
    def is_ending(self) -> bool:
        """Whether it ended the dossier: what came before was open, and it left it decided."""
        return self.state_before in OPEN_STATES and self.state_after not in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One request under one version of a procedure.

    Attributes:
        version: Goes up with every action; an action carries the one that it saw.
        due_at: Appointment for the result.
        remaining_minutes: Working minutes left while the clock stands still; ``None`` while it
            runs and after the end.
        supplements: How often a supplement was asked for; more than one counts as late in the
            index of QĐ 766/QĐ-TTg.
        ended_at: When it was decided or withdrawn; ``None`` while it is open.
    """

    id: DossierId
    code: DossierCode
    procedure_id: str
    procedure_version: int
    channel: Channel
    state: DossierState
    version: int
    applicant_id: PartyId
    taken_in_by: str
    submitted_by: str
    contact_phone: str | None
    contact_email: str | None
    vehicle_id: VehicleId | None
    request: Mapping[str, RequestValue]
    received_at: datetime
    due_at: datetime
    calendar_version: int
    remaining_minutes: int | None
    supplements: int
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.ended_at is None

    def is_late(self, *, now: datetime) -> bool:
        """Whether the index counts it as late."""
        return is_late(
            due_at=self.due_at,
            ended_at=self.ended_at,
            remaining_minutes=self.remaining_minutes,
            supplements=self.supplements,
            now=now,
        )


def is_late(
    *,
    due_at: datetime,
    ended_at: datetime | None,
    remaining_minutes: int | None,
    supplements: int,
    now: datetime,
) -> bool:
    """Whether the index of QĐ 766/QĐ-TTg counts a dossier as late.

    It does after the appointment, and when a supplement was asked for more than once. While the
    clock stands still, only an appointment that had passed before counts.
    """
    if supplements > 1:
        return True
    if remaining_minutes is not None:
        return remaining_minutes == 0
    return (ended_at or now) > due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word of a procedure in both languages."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What taking in gave.

    Attributes:
        is_repeat: The submission key was known: nothing was written, this is the first dossier.
        facts: What the guards found; shown to the clerk.
    """

    dossier: Dossier
    facts: tuple[Fact, ...]
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A dossier after an action.

    Attributes:
        counts_as_late: Whether the index counts it as late, such as after a second supplement.
    """

    dossier: Dossier
    facts: tuple[Fact, ...]
    counts_as_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequest:
    """What is asked for once more.

    Attributes:
        papers: Papers of the procedure, by name; may be empty when the reason says it all.
        reason: What has to be mended, in words for the applicant.
    """

    papers: tuple[str, ...]
    reason: str

    def __post_init__(self) -> None:
        require_reason(self.reason)


def require_reason(reason: str) -> None:
    """Stop unless a reason was written.

    Raises:
        InvalidRequestError: It is empty or too long.
    """
    if not 1 <= len(reason.strip()) <= NOTE_LENGTH_MAX:
        raise InvalidRequestError("reason", f"need 1 to {NOTE_LENGTH_MAX} letters")
    if not all(line.isprintable() for line in reason.splitlines()):
        raise InvalidRequestError("reason", "need printable letters")
