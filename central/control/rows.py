# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of alerts as the database returns and takes them, and how they become values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from central.contracts.passage import PlateColour
from central.control.types import (
    Alert,
    AlertId,
    AlertState,
    ClosingReason,
    Fact,
    FactName,
    Finding,
    WatchlistEntryId,
)
from central.control.watchlist_types import WatchlistEntry, WatchReason
from central.domain.control_law import RuleName, Severity
from central.registry.types import VehicleId

RawFacts = Sequence[Mapping[str, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """Columns of an alert with the names of its newest sighting's place."""

    id: UUID
    rule: str
    severity: str
    plate_text: str
    plate_colour: str
    vehicle_id: UUID | None
    watchlist_entry_id: UUID | None
    legal_basis: str
    facts: RawFacts
    state: str
    opened_at: datetime
    last_sighted_at: datetime
    sightings: int
    passage_id: UUID
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    version: int
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    closing_reason: str | None
    closing_note: str | None
    dossier_code: str | None

    def value(self) -> Alert:
        """The alert."""
        return Alert(
            id=AlertId(self.id),
            rule=RuleName(self.rule),
            severity=Severity(self.severity),
            plate_text=self.plate_text,
            plate_colour=PlateColour(self.plate_colour),
            vehicle_id=VehicleId(self.vehicle_id) if self.vehicle_id else None,
            watchlist_entry_id=(
                WatchlistEntryId(self.watchlist_entry_id) if self.watchlist_entry_id else None
            ),
            legal_basis=self.legal_basis,
            facts=facts_of(self.facts),
            state=AlertState(self.state),
            opened_at=self.opened_at,
            last_sighted_at=self.last_sighted_at,
            sightings=self.sightings,
            passage_id=self.passage_id,
            site_id=self.site_id,
            site_name=self.site_name,
            camera_id=self.camera_id,
            camera_name=self.camera_name,
            version=self.version,
            acknowledged_by=self.acknowledged_by,
            acknowledged_at=self.acknowledged_at,
            closed_by=self.closed_by,
            closed_at=self.closed_at,
            closing_reason=ClosingReason(self.closing_reason) if self.closing_reason else None,
            closing_note=self.closing_note,
            dossier_code=self.dossier_code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedRow:
    """An alert that an upsert opened or found open.

    Attributes:
        thing_id: The vehicle or the entry of the watchlist.
    """

    id: UUID
    rule: str
    thing_id: UUID
    is_new: bool

    @property
    def key(self) -> tuple[str, str]:
        """The same as a finding's."""
        return (self.rule, str(self.thing_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingRow:
    """A sighting of one alert."""

    passage_id: UUID
    rule: str
    captured_at: datetime
    is_late: bool
    judged_at: datetime
    facts: RawFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRow:
    """A late passage with the rules that it fitted."""

    passage_id: UUID
    captured_at: datetime
    rules: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """Columns of an entry of the watchlist."""

    id: UUID
    plate_text: str
    plate_colour: str | None
    reason: str
    note: str
    legal_basis: str
    listed_by: str
    listed_at: datetime
    valid_until: datetime | None
    removed_by: str | None
    removed_at: datetime | None

    def value(self) -> WatchlistEntry:
        """The entry."""
        return WatchlistEntry(
            id=WatchlistEntryId(self.id),
            plate_text=self.plate_text,
            plate_colour=PlateColour(self.plate_colour) if self.plate_colour else None,
            reason=WatchReason(self.reason),
            note=self.note,
            legal_basis=self.legal_basis,
            listed_by=self.listed_by,
            listed_at=self.listed_at,
            valid_until=self.valid_until,
            removed_by=self.removed_by,
            removed_at=self.removed_at,
        )


def facts_of(raw: RawFacts) -> tuple[Fact, ...]:
    """Facts from their column."""
    return tuple(
        Fact(
            name=FactName(str(each["name"])),
            value=each["value"],
            source=str(each["source"]),
            as_of=date.fromisoformat(str(each["as_of"])),
            read_at=datetime.fromisoformat(str(each["read_at"])),
        )
        for each in raw
    )


def raw_facts(facts: Sequence[Fact]) -> list[dict[str, str | None]]:
    """Facts for their column."""
    return [
        {
            "name": each.name.value,
            "value": each.value,
            "source": each.source,
            "as_of": each.as_of.isoformat(),
            "read_at": each.read_at.isoformat(),
        }
        for each in facts
    ]


def alert_row(alert_id: UUID, same: Sequence[Finding]) -> dict[str, object]:
    """The row of an alert from live findings about the same thing; the newest gives the place."""
    newest = max(same, key=lambda each: each.passage.captured_at)
    return {
        "id": str(alert_id),
        "rule": newest.rule.value,
        "severity": newest.severity.value,
        "plate_text": newest.passage.plate_text,
        "plate_colour": newest.plate_colour.value,
        "vehicle_id": str(newest.vehicle_id) if newest.vehicle_id else None,
        "watchlist_entry_id": (
            str(newest.watchlist_entry_id) if newest.watchlist_entry_id else None
        ),
        "legal_basis": newest.legal_basis,
        "facts": raw_facts(newest.facts),
        "last_sighted_at": newest.passage.captured_at.isoformat(),
        "sightings": len(same),
        "passage_id": str(newest.passage.id),
        "site_id": newest.passage.site_id,
        "camera_id": newest.passage.camera_id,
    }


def sighting_row(finding: Finding, alert_id: UUID | None) -> dict[str, object]:
    """The row of a sighting."""
    return {
        "passage_id": str(finding.passage.id),
        "rule": finding.rule.value,
        "alert_id": str(alert_id) if alert_id else None,
        "captured_at": finding.passage.captured_at.isoformat(),
        "site_id": finding.passage.site_id,
        "camera_id": finding.passage.camera_id,
        "is_late": finding.passage.is_late,
        "facts": raw_facts(finding.facts),
    }
