# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the watchlist."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from central.contracts.passage import PlateColour
from central.control.types import ListCursor, WatchlistEntryId

LEGAL_BASIS_LENGTH_MAX: Final = 300


class WatchReason(StrEnum):
    """Why a plate is looked for."""

    STOLEN = "stolen"
    WANTED_IN_CASE = "wanted_in_case"
    SUSPECTED_FAKE_PLATE = "suspected_fake_plate"
    UNPAID_PENALTY = "unpaid_penalty"
    AGENCY_REQUEST = "agency_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWatchlistEntry:
    """A plate to look for.

    Attributes:
        plate_text: As somebody typed it; separators do not matter.
        plate_colour: ``None`` for whatever colour.
        valid_until: First moment at which it no longer holds; ``None`` until it is removed.
    """

    plate_text: str
    plate_colour: PlateColour | None
    reason: WatchReason
    note: str
    legal_basis: str
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistEntry:
    """A plate that is looked for, or was."""

    id: WatchlistEntryId
    plate_text: str
    plate_colour: PlateColour | None
    reason: WatchReason
    note: str
    legal_basis: str
    listed_by: str
    listed_at: datetime
    valid_until: datetime | None
    removed_by: str | None
    removed_at: datetime | None

    def holds_at(self, moment: datetime) -> bool:
        """Whether it holds at an aware time."""
        return (
            self.listed_at <= moment
            and (self.valid_until is None or moment < self.valid_until)
            and (self.removed_at is None or moment < self.removed_at)
        )

    def fits(self, colour: PlateColour) -> bool:
        """Whether a plate of this colour is meant; an unknown colour may be any."""
        return (
            self.plate_colour is None
            or colour is PlateColour.UNKNOWN
            or colour is self.plate_colour
        )

    @property
    def cursor(self) -> ListCursor:
        """Where the page after this row begins."""
        return ListCursor(at=self.listed_at, id=self.id)


class EntryState(StrEnum):
    """Which entries to list."""

    HOLDING = "holding"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistPage:
    """One page of the watchlist, newest first."""

    entries: tuple[WatchlistEntry, ...]
    next: ListCursor | None
