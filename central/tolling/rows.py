# SPDX-License-Identifier: AGPL-3.0-or-later
"""Crossings and their events as the database returns them, and how they become values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from central.contracts.passage import PlateColour, VehicleClass
from central.ledger.types import EntryId
from central.registry.types import VehicleId
from central.tolling.types import (
    AccountState,
    Crossing,
    CrossingEvent,
    CrossingState,
    Fact,
    FactValue,
    LaneKey,
    LanePassage,
    LaneTagRead,
    Station,
    StationDay,
    StationKind,
    TagBinding,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedKeysRow:
    """Keys of the passages of one commit."""

    captured_ats: Sequence[datetime]
    passage_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageRow:
    """A passage at a toll lane."""

    id: UUID
    captured_at: datetime
    station_id: str
    lane_number: int
    plate_text: str
    plate_colour: str | None
    plate_confidence: float | None
    plate_alternatives: Sequence[Mapping[str, object]] | None
    vehicle_class: str | None
    vehicle_confidence: float | None
    is_late: bool

    def value(self) -> LanePassage:
        """The value."""
        return LanePassage(
            id=self.id,
            captured_at=self.captured_at,
            lane=LaneKey(station_id=self.station_id, number=self.lane_number),
            plate_text=self.plate_text,
            plate_colour=(
                PlateColour(self.plate_colour) if self.plate_colour else PlateColour.UNKNOWN
            ),
            plate_confidence=self.plate_confidence,
            other_readings=tuple(str(each["text"]) for each in self.plate_alternatives or ()),
            vehicle_class=VehicleClass(self.vehicle_class) if self.vehicle_class else None,
            vehicle_confidence=self.vehicle_confidence,
            is_late=self.is_late,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TagReadRow:
    """A tag read at a toll lane."""

    id: UUID
    captured_at: datetime
    station_id: str
    lane_number: int
    epc: str
    tid: str | None
    reads: int
    rssi_dbm: float | None
    is_late: bool

    def value(self) -> LaneTagRead:
        """The value."""
        return LaneTagRead(
            id=self.id,
            captured_at=self.captured_at,
            lane=LaneKey(station_id=self.station_id, number=self.lane_number),
            epc=self.epc,
            tid=self.tid,
            reads=self.reads,
            rssi_dbm=self.rssi_dbm,
            is_late=self.is_late,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A crossing that lacks one of its two events."""

    id: UUID
    passage_id: UUID | None
    tag_read_id: UUID | None
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRow:
    """An account on which a tag was live."""

    account_number: str
    account_state: str
    is_priority: bool
    provider: str
    vehicle_id: UUID
    valid_from: datetime

    def value(self) -> TagBinding:
        """The value."""
        return TagBinding(
            account_number=self.account_number,
            account_state=AccountState(self.account_state),
            is_priority=self.is_priority,
            provider=self.provider,
            vehicle_id=VehicleId(self.vehicle_id),
            valid_from=self.valid_from,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingRow:
    """A crossing with its station's name."""

    id: UUID
    station_id: str
    lane_number: int
    crossed_at: datetime
    booked_on: date
    passage_id: UUID | None
    tag_read_id: UUID | None
    state: str
    reason: str | None
    plate_text: str | None
    plate_colour: str | None
    class_seen: str | None
    epc: str | None
    vehicle_id: UUID | None
    account_number: str | None
    vehicle_group: int | None
    tariff_id: UUID | None
    amount_dong: int | None
    ledger_entry_id: int | None
    refund_entry_id: int | None
    facts: Sequence[Mapping[str, FactValue]]
    is_late: bool
    version: int
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    station_name: str
    is_expressway: bool

    def value(self) -> Crossing:
        """The value."""
        return Crossing(
            id=self.id,
            lane=LaneKey(station_id=self.station_id, number=self.lane_number),
            station_name=self.station_name,
            is_expressway=self.is_expressway,
            crossed_at=self.crossed_at,
            booked_on=self.booked_on,
            passage_id=self.passage_id,
            tag_read_id=self.tag_read_id,
            state=CrossingState(self.state),
            reason=self.reason,
            plate_text=self.plate_text,
            plate_colour=PlateColour(self.plate_colour) if self.plate_colour else None,
            class_seen=VehicleClass(self.class_seen) if self.class_seen else None,
            epc=self.epc,
            vehicle_id=VehicleId(self.vehicle_id) if self.vehicle_id else None,
            account_number=self.account_number,
            vehicle_group=self.vehicle_group,
            tariff_id=self.tariff_id,
            amount_dong=self.amount_dong,
            ledger_entry_id=EntryId(self.ledger_entry_id) if self.ledger_entry_id else None,
            refund_entry_id=EntryId(self.refund_entry_id) if self.refund_entry_id else None,
            facts=tuple(_fact(each) for each in self.facts),
            is_late=self.is_late,
            version=self.version,
            created_at=self.created_at,
            decided_at=self.decided_at,
            decided_by=self.decided_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """What happened to a crossing."""

    occurred_at: datetime
    state: str
    reason: str | None
    actor: str
    note: str

    def value(self) -> CrossingEvent:
        """The value."""
        return CrossingEvent(
            occurred_at=self.occurred_at,
            state=CrossingState(self.state),
            reason=self.reason,
            actor=self.actor,
            note=self.note,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StationDayRow:
    """A station with its numbers of one day."""

    id: str
    name: str
    kind: str
    is_expressway: bool
    crossings: int
    charged: int
    charged_dong: int
    exempt: int
    refused: int
    review: int
    waiting: int

    def value(self) -> StationDay:
        """The value."""
        return StationDay(
            station=Station(
                id=self.id,
                name=self.name,
                kind=StationKind(self.kind),
                is_expressway=self.is_expressway,
            ),
            crossings=self.crossings,
            charged=self.charged,
            charged_dong=self.charged_dong,
            exempt=self.exempt,
            refused=self.refused,
            review=self.review,
            waiting=self.waiting,
        )


def fact_row(fact: Fact) -> Mapping[str, FactValue]:
    """A fact as it is stored."""
    return {"name": fact.name, "value": fact.value, "source": fact.source, "as_of": fact.as_of}


def _fact(stored: Mapping[str, FactValue]) -> Fact:
    """A stored fact."""
    as_of = stored["as_of"]
    return Fact(
        name=str(stored["name"]),
        value=stored["value"],
        source=str(stored["source"]),
        as_of=str(as_of) if as_of is not None else None,
    )
