# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of incidents: how one stands, and what was told of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.contracts.evidence_notice import EvidenceFate
from central.contracts.incident import IncidentKind, IncidentPhase
from central.errors import InvalidFilterError

FIRST_DAY: Final = date(2020, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Days that a list may be asked for; no device told of anything before or will after."""

PAGE_SIZE_MAX: Final = 200
REPORTS_MAX: Final = 200
"""Newest tellings of one incident that are shown; an incident told every minute has 60 an hour."""


class IncidentState(StrEnum):
    """Whether an incident is over; its newest telling says so."""

    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents to list; an empty part does not restrict.

    Attributes:
        since: Earliest beginning, included.
        until: Latest beginning, excluded.
    """

    since: datetime
    until: datetime
    kinds: tuple[IncidentKind, ...] = ()
    states: tuple[IncidentState, ...] = ()
    site_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentCursor:
    """The last row of a page: open incidents come first, then newer before older ones."""

    is_open: bool
    began_at: datetime
    incident_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRequest:
    """How much to list, and from where."""

    size: int = 50
    after: IncidentCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= PAGE_SIZE_MAX:
            raise InvalidFilterError(f"a page has 1 to {PAGE_SIZE_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """How an incident stands, by its newest telling.

    Attributes:
        told_at: Of which moment the newest telling tells.
        confidence: Of the newest telling.
        picture_sha256: Its oldest picture that came; ``None`` when none has.
    """

    id: UUID
    kind: IncidentKind
    phase: IncidentPhase
    began_at: datetime
    told_at: datetime
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    lane: int | None
    confidence: float
    picture_sha256: str | None

    @property
    def state(self) -> IncidentState:
        """Whether it is over."""
        ended = self.phase is IncidentPhase.ENDED
        return IncidentState.ENDED if ended else IncidentState.OPEN

    @property
    def lasted(self) -> timedelta:
        """From its beginning to the moment last told of."""
        return self.told_at - self.began_at

    @property
    def cursor(self) -> IncidentCursor:
        """Its place in a list."""
        return IncidentCursor(
            is_open=self.state is IncidentState.OPEN, began_at=self.began_at, incident_id=self.id
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """One page of incidents; ``next`` is ``None`` at the end."""

    incidents: tuple[Incident, ...]
    next: IncidentCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPicture:
    """A picture that a telling names.

    Attributes:
        is_stored: Whether it came and was not erased.
        fate: Why it will not come; ``None`` when its device has not given it up.
    """

    report_id: UUID
    sha256: str
    is_stored: bool
    fate: EvidenceFate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """One telling of an incident."""

    id: UUID
    phase: IncidentPhase
    captured_at: datetime
    stored_at: datetime
    is_late: bool
    device_id: str
    confidence: float
    pictures: tuple[IncidentPicture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident with its tellings, the oldest first.

    Attributes:
        is_cut: Whether there are older tellings that are not here.
    """

    incident: Incident
    reports: tuple[IncidentReport, ...]
    is_cut: bool
