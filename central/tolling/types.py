# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of tolling. Money is whole đồng; a day is a day in Vietnam."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.audit.types import Personal, about_plate, about_vehicle
from central.contracts.passage import PlateColour, VehicleClass
from central.errors import InvalidFilterError
from central.ledger.types import EntryId
from central.registry.types import VehicleId

PAGE_SIZE_MAX: Final = 200
NOTE_LENGTH_MAX: Final = 500

FactValue = str | int | float | bool | None


class CrossingState(StrEnum):
    """What became of a crossing."""

    WAITING = "waiting"
    CHARGED = "charged"
    EXEMPT = "exempt"
    REFUSED = "refused"
    REVIEW = "review"
    WAIVED = "waived"


class Reason(StrEnum):
    """Why a crossing was not simply charged."""

    NO_TAG = "no_tag"
    NO_PASSAGE = "no_passage"
    TAG_UNKNOWN = "tag_unknown"
    TAG_ON_TWO_ACCOUNTS = "tag_on_two_accounts"
    WRONG_TAG = "wrong_tag"
    PLATE_UNSURE = "plate_unsure"
    PLATE_NOT_REGISTERED = "plate_not_registered"
    GROUP_UNKNOWN = "group_unknown"
    CLASS_MISMATCH = "class_mismatch"
    NO_TARIFF = "no_tariff"
    ACCOUNT_LOCKED = "account_locked"
    BALANCE_TOO_LOW = "balance_too_low"
    PRIORITY = "priority"
    FREE_OF_CHARGE = "free_of_charge"


class WaiverReason(StrEnum):
    """Why a person let a crossing in review go without a charge."""

    READING_WRONG = "reading_wrong"
    SAME_VEHICLE_TWICE = "same_vehicle_twice"
    NOT_TOLLED = "not_tolled"
    PAID_OTHERWISE = "paid_otherwise"
    EQUIPMENT_FAULT = "equipment_fault"


class RefundReason(StrEnum):
    """Why a charge is given back."""

    WRONG_VEHICLE = "wrong_vehicle"
    WRONG_GROUP = "wrong_group"
    CHARGED_TWICE = "charged_twice"
    VEHICLE_EXEMPT = "vehicle_exempt"
    COMPLAINT_UPHELD = "complaint_upheld"


class LaneKind(StrEnum):
    """What a lane is for: an open station charges where it stands."""

    OPEN = "open"
    ENTRY = "entry"
    EXIT = "exit"


class StationKind(StrEnum):
    """How a station charges (NĐ 119/2024/NĐ-CP Art. 15)."""

    OPEN = "open"
    CLOSED = "closed"


class AccountState(StrEnum):
    """State of a traffic account (NĐ 119/2024/NĐ-CP Art. 13 and 14)."""

    OPEN = "open"
    LOCKED = "locked"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingPolicy:
    """How passages and tag reads find each other.

    Attributes:
        window: Furthest apart that the two may lie. Higher: worse clocks are forgiven, and in
            dense traffic a vehicle may meet its neighbour's tag.
        settle_after: How long a pair that does not agree is left for a better partner to come.
        wait: How long one without any partner waits. Higher: late messages complete by
            themselves, and people hear later of a vehicle without a tag.
    """

    window: timedelta = timedelta(seconds=10)
    settle_after: timedelta = timedelta(seconds=12)
    wait: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.window <= self.settle_after <= self.wait:
            raise ValueError("need 0 < window <= settle_after <= wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Among which events those without a crossing are looked for.

    Attributes:
        captured_after: How far back. Further: what came very late is found, and more is read.
        stored_before: Only what should have been matched by now.
    """

    captured_after: datetime
    stored_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Events at toll lanes that no crossing has, newest first."""

    passage_ids: tuple[UUID, ...]
    tag_read_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneKey:
    """One lane of one station."""

    station_id: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A toll station."""

    id: str
    name: str
    kind: StationKind
    is_expressway: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePassage:
    """A passage that a toll lane's camera saw.

    Attributes:
        plate_text: Without separators; empty when none was read.
        plate_confidence: In [0, 1]; ``None`` without a plate.
        other_readings: Other texts that the reader thought possible.
    """

    id: UUID
    captured_at: datetime
    lane: LaneKey
    plate_text: str
    plate_colour: PlateColour
    plate_confidence: float | None
    other_readings: tuple[str, ...]
    vehicle_class: VehicleClass | None
    vehicle_confidence: float | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTagRead:
    """A tag that a toll lane's reader saw."""

    id: UUID
    captured_at: datetime
    lane: LaneKey
    epc: str
    tid: str | None
    reads: int
    rssi_dbm: float | None
    is_late: bool


LaneEvent = LanePassage | LaneTagRead


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBinding:
    """Which account a tag pays from, and for which vehicle, as it was when the tag was read."""

    account_number: str
    account_state: AccountState
    is_priority: bool
    provider: str
    vehicle_id: VehicleId
    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """The price of one passage, VAT included.

    Attributes:
        confidence: How sure its source is; ``example`` for prices that only show how it works.
    """

    id: UUID
    vehicle_group: int
    price_dong: int
    valid_from: date
    valid_until: date | None
    legal_reference: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that a decision rests on, as it was.

    Attributes:
        as_of: ISO date or time at which it was true; ``None`` where nobody says.
    """

    name: str
    value: FactValue
    source: str
    as_of: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One vehicle through one toll lane once.

    Attributes:
        reason: A ``Reason``, or a ``WaiverReason`` when it was waived.
        amount_dong: Price that was charged, refused or waived; ``None`` where no price was found.
        refund_entry_id: Entry that gave the whole charge back; the state stays ``charged``.
        version: Grows with every change; an action carries the one it saw.
    """

    id: UUID
    lane: LaneKey
    station_name: str
    is_expressway: bool
    crossed_at: datetime
    booked_on: date
    passage_id: UUID | None
    tag_read_id: UUID | None
    state: CrossingState
    reason: str | None
    plate_text: str | None
    plate_colour: PlateColour | None
    class_seen: VehicleClass | None
    epc: str | None
    vehicle_id: VehicleId | None
    account_number: str | None
    vehicle_group: int | None
    tariff_id: UUID | None
    amount_dong: int | None
    ledger_entry_id: EntryId | None
    refund_entry_id: EntryId | None
    facts: tuple[Fact, ...]
    is_late: bool
    version: int
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None

    @property
    def personal(self) -> Personal | None:
        """Whose crossing it is, for the audit log; ``None`` when nothing tells."""
        if self.vehicle_id is not None:
            return Personal(about=about_vehicle(self.vehicle_id))
        return Personal(about=about_plate(self.plate_text)) if self.plate_text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingEvent:
    """What happened to a crossing, as it is written once and kept."""

    occurred_at: datetime
    state: CrossingState
    reason: str | None
    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingDetail:
    """A crossing with everything that belongs to it."""

    crossing: Crossing
    tag_read: LaneTagRead | None
    tariff: Tariff | None
    events: tuple[CrossingEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingFilter:
    """What to list; an empty part does not restrict.

    Attributes:
        day: Day in Vietnam to which the crossings belong.
    """

    station_id: str | None = None
    day: date | None = None
    state: CrossingState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingCursor:
    """The last crossing of a page; the next page holds older ones."""

    crossed_at: datetime
    crossing_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingPageRequest:
    """How much to return, and from where."""

    size: int = 50
    after: CrossingCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= PAGE_SIZE_MAX:
            raise InvalidFilterError(f"a page has 1 to {PAGE_SIZE_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingPage:
    """One page of crossings, newest first. ``next`` is ``None`` on the last page."""

    crossings: tuple[Crossing, ...]
    next: CrossingCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationDay:
    """One station's numbers of one day so far."""

    station: Station
    crossings: int
    charged: int
    charged_dong: int
    exempt: int
    refused: int
    review: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAfterAll:
    """A person's decision: this account pays for a vehicle of this group."""

    account_number: str
    vehicle_group: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive:
    """A person's decision: nothing is charged."""

    reason: WaiverReason
    note: str = ""


ReviewDecision = ChargeAfterAll | Waive


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A person's decision: the whole charge is given back."""

    reason: RefundReason
    note: str = ""
