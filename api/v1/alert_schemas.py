# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts and entries of the watchlist, as programs read and write them."""

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps.cursors import CURSOR_LENGTH, place_text
from api.v1.schemas import EXAMPLE_ID, PassageSummaryBody, StrictBody
from central.contracts.passage import PlateColour
from central.control.types import (
    CHOSEN_REASONS,
    NOTE_LENGTH_MAX,
    PAGE_SIZE_MAX,
    AlertPage,
    AlertRecord,
    AlertState,
    ClosingReason,
    FactName,
    ListCursor,
    Sighting,
)
from central.control.watchlist_types import (
    LEGAL_BASIS_LENGTH_MAX,
    EntryState,
    NewWatchlistEntry,
    WatchlistPage,
    WatchReason,
)
from central.domain.control_law import RuleName, Severity

PAGE_SIZE_DEFAULT = 50
PLATE_LENGTH_MAX = 32
PageSize = Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)]
Cursor = Annotated[str, Field(min_length=CURSOR_LENGTH, max_length=CURSOR_LENGTH)]


class _Seen(BaseModel):
    """Base of what is read off a value of the centre, attribute by attribute."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class AlertFactBody(_Seen):
    """One thing that was known when a passage was judged, kept as it was."""

    name: FactName
    value: str | None = Field(description="Days as ISO dates; null says that there was none.")
    source: str
    as_of: date
    read_at: AwareDatetime


class AlertBody(_Seen):
    """One finding about one vehicle or listed plate."""

    id: UUID
    rule: RuleName
    severity: Severity
    plate_text: str
    plate_colour: PlateColour
    vehicle_id: UUID | None
    watchlist_entry_id: UUID | None
    legal_basis: str
    facts: tuple[AlertFactBody, ...]
    state: AlertState
    opened_at: AwareDatetime
    last_sighted_at: AwareDatetime
    sightings: int
    passage_id: UUID = Field(description="The newest sighting; it may have been erased since.")
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    version: int = Field(description="Rises when somebody acts; the ETag holds it.")
    acknowledged_by: str | None
    acknowledged_at: AwareDatetime | None
    closed_by: str | None
    closed_at: AwareDatetime | None
    closing_reason: ClosingReason | None
    closing_note: str | None
    dossier_code: str | None = Field(description="The dossier that ended it.")


class AlertPageBody(StrictBody):
    """One page of alerts, the most recently sighted first."""

    alerts: tuple[AlertBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: AlertPage) -> Self:
        """Describe a page."""
        return cls(
            alerts=tuple(AlertBody.model_validate(each.alert) for each in page.alerts),
            next_cursor=next_cursor(page.next),
        )


class SightingBody(StrictBody):
    """One passage that belongs to an alert."""

    passage_id: UUID
    captured_at: AwareDatetime
    is_late: bool
    judged_at: AwareDatetime
    passage: PassageSummaryBody | None = Field(description="Null when it was erased.")

    @classmethod
    def of(cls, sighting: Sighting) -> Self:
        """Describe a sighting."""
        passage = sighting.passage
        return cls(
            passage_id=sighting.passage_id,
            captured_at=sighting.captured_at,
            is_late=sighting.is_late,
            judged_at=sighting.judged_at,
            passage=PassageSummaryBody.of(passage) if passage is not None else None,
        )


class AlertRecordBody(StrictBody):
    """One alert with its newest sightings."""

    alert: AlertBody
    sightings: tuple[SightingBody, ...]

    @classmethod
    def of(cls, record: AlertRecord) -> Self:
        """Describe an alert."""
        return cls(
            alert=AlertBody.model_validate(record.seen.alert),
            sightings=tuple(map(SightingBody.of, record.sightings)),
        )


class AlertActBody(StrictBody):
    """How an alert is after somebody acted on it."""

    id: UUID
    state: AlertState
    version: int


class ClosingBody(StrictBody):
    """Why an alert ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "vehicle_stopped", "note": "Km 12"}]}
    )

    reason: ClosingReason = Field(
        description="One of: " + ", ".join(f"`{each}`" for each in CHOSEN_REASONS) + "."
    )
    note: Annotated[str, Field(max_length=NOTE_LENGTH_MAX)] = ""


class WatchlistSearchBody(StrictBody):
    """Which entries to list; the plate stands in the body, so that it never stands in a URL."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"state": "holding", "plate": "20C-123*"}]}
    )

    state: EntryState = EntryState.HOLDING
    plate: Annotated[str, Field(min_length=1, max_length=PLATE_LENGTH_MAX)] | None = Field(
        default=None, description="`?` is one character, `*` any number."
    )
    page_size: PageSize = PAGE_SIZE_DEFAULT
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class WatchlistEntryBody(_Seen):
    """A plate that is looked for, or was."""

    id: UUID
    plate_text: str
    plate_colour: PlateColour | None = Field(description="Null for whatever colour.")
    reason: WatchReason
    note: str
    legal_basis: str
    listed_by: str
    listed_at: AwareDatetime
    valid_until: AwareDatetime | None = Field(description="Excluded; null until it is removed.")
    removed_by: str | None
    removed_at: AwareDatetime | None


class WatchlistPageBody(StrictBody):
    """One page of the watchlist, newest first."""

    entries: tuple[WatchlistEntryBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: WatchlistPage) -> Self:
        """Describe a page."""
        return cls(
            entries=tuple(map(WatchlistEntryBody.model_validate, page.entries)),
            next_cursor=next_cursor(page.next),
        )


class NewWatchlistEntryBody(StrictBody):
    """A plate to look for, with the reason and the document that allows it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plate": "20C-123.45",
                    "plate_colour": "white",
                    "reason": "stolen",
                    "legal_basis": "Công văn 123/CSGT",
                    "valid_until": "2027-01-01T00:00:00+07:00",
                }
            ]
        }
    )

    plate: Annotated[str, Field(min_length=1, max_length=PLATE_LENGTH_MAX)]
    plate_colour: PlateColour | None = None
    reason: WatchReason
    legal_basis: Annotated[str, Field(min_length=1, max_length=LEGAL_BASIS_LENGTH_MAX)]
    note: Annotated[str, Field(max_length=NOTE_LENGTH_MAX)] = ""
    valid_until: AwareDatetime | None = None

    def entry(self) -> NewWatchlistEntry:
        """The same as the service wants it."""
        return NewWatchlistEntry(
            plate_text=self.plate,
            plate_colour=self.plate_colour,
            reason=self.reason,
            note=self.note,
            legal_basis=self.legal_basis,
            valid_until=self.valid_until,
        )


class AddedEntryBody(StrictBody):
    """The entry that was added."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": EXAMPLE_ID}]})

    id: UUID


def next_cursor(following: ListCursor | None) -> str | None:
    """Where a page goes on."""
    return place_text(following.at, following.id) if following is not None else None
