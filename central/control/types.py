# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of vehicle control: findings, alerts and their sightings."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from central.contracts.passage import PlateColour
from central.domain.control_law import RuleName, Severity
from central.errors import InvalidFilterError
from central.passages.types import PassageSummary
from central.registry.types import VehicleId

AlertId = NewType("AlertId", UUID)
WatchlistEntryId = NewType("WatchlistEntryId", UUID)

ALERT_CHANNEL: Final = "alert_changed"
"""PostgreSQL notification sent with every commit that raises or changes alerts."""

NOTE_LENGTH_MAX: Final = 500
PAGE_SIZE_MAX: Final = 200


class FactName(StrEnum):
    """A fact on which a finding rests; the value's form depends on it."""

    READING_CONFIDENCE = "reading_confidence"
    PLATE_COLOUR = "plate_colour"
    REGISTERED_COLOUR = "registered_colour"
    VEHICLE_KIND = "vehicle_kind"
    BADGE_NUMBER = "badge_number"
    BADGE_VALID_UNTIL = "badge_valid_until"
    BADGE_REVOKED_ON = "badge_revoked_on"
    INSPECTED_UNTIL = "inspected_until"
    WATCH_REASON = "watch_reason"
    LISTED_BY = "listed_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that was known when a passage was judged, kept as it was.

    Attributes:
        value: Days as ISO dates, shares as decimals, otherwise a word or a number of a paper;
            ``None`` says that there was none.
        source: Who told it.
        as_of: Day on which the source says it was true.
        read_at: When it was read for the judgement.
    """

    name: FactName
    value: str | None
    source: str
    as_of: date
    read_at: datetime

    def age_at(self, moment: datetime, *, today: date) -> timedelta:
        """How old the fact was: whole days, and hours only for what was measured today."""
        if self.as_of >= today:
            return max(moment - self.read_at, timedelta(0))
        return today - self.as_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One passage that fits one rule.

    Attributes:
        vehicle_id: ``None`` for a watchlisted plate that the registry does not know.
        watchlist_entry_id: Set for hits on the watchlist only.
    """

    rule: RuleName
    severity: Severity
    passage: PassageSummary
    plate_colour: PlateColour
    vehicle_id: VehicleId | None
    watchlist_entry_id: WatchlistEntryId | None
    legal_basis: str
    facts: tuple[Fact, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What one open alert stands for: a rule and an entry of the watchlist, or a vehicle."""
        return (self.rule.value, str(self.watchlist_entry_id or self.vehicle_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a judgement changed.

    Attributes:
        judged: Passages that were looked at.
        unsure: Of them, those whose reading was too poor to be held against anybody.
        unknown: Well-read plates that the registry does not know.
        raised: Alerts that are new.
        sighted: Live passages that fitted a rule, each counted for each rule.
        late: Late passages that fitted a rule.
    """

    judged: int
    unsure: int
    unknown: int
    raised: int
    sighted: int
    late: int


class AlertState(StrEnum):
    """How far an alert has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class ClosingReason(StrEnum):
    """Why an alert ended; people choose from all but the last."""

    VEHICLE_STOPPED = "vehicle_stopped"
    CASE_OPENED = "case_opened"
    HANDED_OVER = "handed_over"
    PAPERS_SHOWN = "papers_shown"
    MISREAD_PLATE = "misread_plate"
    WRONG_FACTS = "wrong_facts"
    ENDED_BY_DOSSIER = "ended_by_dossier"


CHOSEN_REASONS: Final = tuple(
    reason for reason in ClosingReason if reason is not ClosingReason.ENDED_BY_DOSSIER
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts to list; an empty part does not restrict."""

    states: tuple[AlertState, ...] = ()
    rule: RuleName | None = None
    vehicle_id: VehicleId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCursor:
    """The last row of a page: the next page holds older ones."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """How much to list, and from where."""

    size: int = 50
    after: ListCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= PAGE_SIZE_MAX:
            raise InvalidFilterError(f"a page has 1 to {PAGE_SIZE_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One finding about one vehicle or listed plate.

    Attributes:
        passage_id: The newest sighting; the passage itself may have been erased since.
        version: Rises when somebody acts; a sighting does not change it.
        closed_by: ``None`` when a dossier ended it.
        dossier_code: The dossier that ended it.
    """

    id: AlertId
    rule: RuleName
    severity: Severity
    plate_text: str
    plate_colour: PlateColour
    vehicle_id: VehicleId | None
    watchlist_entry_id: WatchlistEntryId | None
    legal_basis: str
    facts: tuple[Fact, ...]
    state: AlertState
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
    closing_reason: ClosingReason | None
    closing_note: str | None
    dossier_code: str | None

    @property
    def cursor(self) -> ListCursor:
        """Where the page after this row begins."""
        return ListCursor(at=self.last_sighted_at, id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlert:
    """An alert with its newest sighting; ``None`` when the passage was erased."""

    alert: Alert
    passage: PassageSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One passage that belongs to an alert; ``passage`` is ``None`` when it was erased."""

    passage_id: UUID
    captured_at: datetime
    is_late: bool
    judged_at: datetime
    facts: tuple[Fact, ...]
    passage: PassageSummary | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateSighting:
    """A late passage that fitted rules and raised no alert."""

    passage_id: UUID
    captured_at: datetime
    rules: tuple[RuleName, ...]
    passage: PassageSummary | None

    @property
    def cursor(self) -> ListCursor:
        """Where the page after this row begins."""
        return ListCursor(at=self.captured_at, id=self.passage_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert as its own page shows it; the newest sightings first."""

    seen: SeenAlert
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """One page of alerts, the most recently sighted first."""

    alerts: tuple[SeenAlert, ...]
    next: ListCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePage:
    """One page of late sightings that raised no alert, newest first."""

    sightings: tuple[LateSighting, ...]
    next: ListCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFeedPage:
    """Alerts that changed, each once and as it is now, and where to go on."""

    alerts: tuple[SeenAlert, ...]
    position: int
