# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of closing days. Money is whole đồng; a day is 00:00 to 24:00 in Vietnam."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.errors import InvalidFilterError

DAYS_MAX: Final = 100
DIFFERENCES_MAX: Final = 200


class DifferenceKind(StrEnum):
    """How a provider's file and our crossings differ."""

    MISSING_AT_PROVIDER = "missing_at_provider"
    """We charged it, the provider did not debit it."""
    MISSING_HERE = "missing_here"
    """The provider debited it, we did not charge it."""
    AMOUNT_DIFFERS = "amount_differs"
    ACCOUNT_DIFFERS = "account_differs"
    DOUBLED = "doubled"
    """The provider debited it more than once."""


class ClosingMode(StrEnum):
    """Which days may be closed."""

    WHOLE_DAY = "whole_day"
    SO_FAR = "so_far"
    """Also the day that still runs, marked as such; its end makes another revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKey:
    """One station's day."""

    station_id: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """What a provider says it debited.

    Attributes:
        line: Where it stands in the file, from 1, the header included.
    """

    line: int
    crossing_id: UUID
    account_number: str
    debited_at: datetime
    amount_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFile:
    """A provider's file as it was read."""

    provider: str
    name: str
    sha256: bytes
    rows: tuple[ProviderRow, ...]

    @property
    def amount_dong(self) -> int:
        """Sum of all debits."""
        return sum(row.amount_dong for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A provider's file that is kept."""

    id: UUID
    provider: str
    name: str
    sha256: str
    rows: int
    amount_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What we charged for a crossing."""

    crossing_id: UUID
    account_number: str
    amount_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between a provider's file and our charges.

    Attributes:
        our_amount_dong: ``None`` where we charged nothing.
        their_amount_dong: ``None`` where the file has no row.
        provider_line: Line of the file.
    """

    provider: str
    kind: DifferenceKind
    crossing_id: UUID
    our_amount_dong: int | None
    their_amount_dong: int | None
    provider_line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSum:
    """Charges of one vehicle group."""

    vehicle_group: int
    charged: int
    charged_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSum:
    """Charges to the accounts of one provider, and what its file says.

    Attributes:
        file_name: ``None`` while the provider sent none.
        file_rows: Rows of its file.
        file_dong: Their sum.
    """

    provider: str
    charged: int
    charged_dong: int
    file_name: str | None = None
    file_rows: int | None = None
    file_dong: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMovement:
    """What the day did to the station's revenue account.

    Attributes:
        charges: Entries that charge tolls.
        charged_dong: Their sum on the revenue account; equals the crossings' sum.
        corrected_dong: Sum of corrections and refunds booked on this day, mostly negative.
        mismatches: Charged crossings without exactly their entry, and entries without crossing.
    """

    charges: int
    charged_dong: int
    corrected_dong: int
    mismatches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """Everything that a day is closed with.

    Attributes:
        by_state: Number of crossings by state.
        by_reason: Number of crossings that were not charged, by reason.
        contents_sha256: Over every crossing and file that went into it.
    """

    crossings: int
    charged: int
    charged_dong: int
    by_state: Mapping[str, int]
    by_reason: Mapping[str, int]
    by_group: tuple[GroupSum, ...]
    by_provider: tuple[ProviderSum, ...]
    ledger: LedgerMovement
    contents_sha256: bytes

    @property
    def open_reviews(self) -> int:
        """Crossings for which a person still has to decide."""
        return self.by_state.get("review", 0)

    @property
    def waiting(self) -> int:
        """Crossings that still wait for their other event."""
        return self.by_state.get("waiting", 0)

    @property
    def is_balanced(self) -> bool:
        """Whether the ledger moved exactly what the crossings say."""
        return (
            self.ledger.charged_dong == self.charged_dong
            and self.ledger.charges == self.charged
            and self.ledger.mismatches == 0
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """Where the ledger's chain ended when a day was closed; printed, it proves all before it."""

    position: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A day as it stands, closed or only looked at.

    Attributes:
        is_over: Whether the day had ended.
        differences: By provider and line.
    """

    key: DayKey
    station_name: str
    is_over: bool
    figures: DayFigures
    differences: tuple[Difference, ...]
    chain: ChainEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class TollDay:
    """One revision of a closed day."""

    id: UUID
    key: DayKey
    station_name: str
    revision: int
    closed_at: datetime
    closed_by: str
    is_over: bool
    figures: DayFigures
    differences: int
    chain: ChainEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed day. ``is_new`` is ``False`` when nothing had changed since the last time."""

    day: TollDay
    report: DayReport
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCursor:
    """The last day of a page; the next page holds older ones."""

    day: date
    station_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPageRequest:
    """How much to return, and from where."""

    size: int = 30
    after: DayCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= DAYS_MAX:
            raise InvalidFilterError(f"a page has 1 to {DAYS_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """Newest revisions of closed days, newest day first. ``next`` is ``None`` on the last page."""

    days: tuple[TollDay, ...]
    next: DayCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDetail:
    """A closed day with its differences and its other revisions, newest first.

    Attributes:
        differences: At most ``DIFFERENCES_MAX``; ``day.differences`` counts all.
    """

    day: TollDay
    differences: tuple[Difference, ...]
    revisions: tuple[TollDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingProof:
    """What a comparison of all crossings with the ledger found; every count should be 0 but one.

    Attributes:
        charged: Charged crossings.
        without_entry: Those whose entry does not say the same: key, kind, accounts, amount, day.
        without_crossing: Toll charges in the ledger that no charged crossing points at.
        broken_anchors: Closed days whose printed end of the chain is not in the chain.
    """

    charged: int
    without_entry: int
    without_crossing: int
    broken_anchors: int

    @property
    def is_sound(self) -> bool:
        """Whether every charged crossing has its entry, and every entry its crossing."""
        return not (self.without_entry or self.without_crossing or self.broken_anchors)
