# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sheets of figures, and what a national centre knows of its provinces."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from central.domain.local_time import local_date, start_of_local_day

ROWS_MAX: Final = 2000
"""Most sites or stations of one sheet, far above any province's."""

PAGE_SIZE_MAX: Final = 200
FIRST_DAY: Final = date(2020, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
HOUR: Final = timedelta(hours=1)


class SheetKind(StrEnum):
    """What a sheet is about; each has rows of its own kind."""

    TRAFFIC_HOUR = "traffic_hour"
    TOLL_DAY = "toll_day"
    COMPLETENESS_DAY = "completeness_day"


class Acceptance(StrEnum):
    """What became of a sheet at the national centre."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    """The centre held the same figures already."""
    SUPERSEDED = "superseded"
    """The centre holds a newer version, and keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTraffic:
    """Passages of one site in an hour, by the class that the camera saw."""

    site_id: str
    passages: int
    plates_read: int
    late: int
    motorcycles: int
    cars: int
    buses: int
    trucks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTolls:
    """Sums of a station's closed day; ``revision`` counts its closings."""

    station_id: str
    revision: int
    crossings: int
    charged: int
    charged_dong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCompleteness:
    """What was stated about a day; ``revision`` counts the statements."""

    revision: int
    due_count: int
    stored_count: int
    gap_count: int


SheetRow = SiteTraffic | StationTolls | DayCompleteness


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All figures of one kind of one province for an hour or a day; it replaces the one before.

    Attributes:
        starts_at: Beginning of the hour, or of the day in Vietnam; aware.
        revised_at: When the figures were last made: of two versions the later one counts.
        rows: Each site or station once, in any order; none when nothing happened.
    """

    kind: SheetKind
    starts_at: datetime
    revised_at: datetime
    rows: tuple[SheetRow, ...]
    content_sha256: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is None or self.revised_at.tzinfo is None:
            raise ValueError("need aware instants")
        if len(self.rows) > ROWS_MAX:
            raise ValueError(f"a sheet has at most {ROWS_MAX} rows")
        begins_at = start_of_local_day(local_date(self.starts_at))
        unit = HOUR if self.kind is SheetKind.TRAFFIC_HOUR else timedelta(days=1)
        if (self.starts_at - begins_at) % unit:
            raise ValueError("a sheet begins with its hour or its day")
        lines = sorted(json.dumps(asdict(row), sort_keys=True) for row in self.rows)
        digest = hashlib.sha256("\n".join(lines).encode()).digest()
        object.__setattr__(self, "content_sha256", digest)

    @property
    def day(self) -> date:
        """The day in Vietnam."""
        return local_date(self.starts_at)

    @property
    def ends_at(self) -> datetime:
        """First instant after it."""
        is_hour = self.kind is SheetKind.TRAFFIC_HOUR
        return self.starts_at + (HOUR if is_hour else timedelta(days=1))

    def row_objects(self) -> list[dict[str, object]]:
        """Its rows as JSON has them."""
        return [asdict(row) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvinceDay:
    """A day of one province; ``None`` where nothing was handed up.

    Attributes:
        hours: How many hours of the day were handed up.
    """

    day: date
    hours: int
    passages: int | None
    plates_read: int | None
    motorcycles: int | None
    cars: int | None
    buses: int | None
    trucks: int | None
    charged: int | None
    charged_dong: int | None
    due_count: int | None
    stored_count: int | None
    gap_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvinceState(ProvinceDay):
    """A province with one of its days.

    Attributes:
        accepted_at: When its newest sheet came; ``None`` for never.
        traffic_until: End of the newest hour that it handed up; ``None`` for none.
    """

    code: str
    name: str
    accepted_at: datetime | None
    traffic_until: datetime | None

    def lag(self, *, now: datetime) -> timedelta | None:
        """How far its figures are behind; ``None`` before the first ones."""
        if self.traffic_until is None:
            return None
        return max(timedelta(0), now - self.traffic_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvincePage:
    """Some provinces by code; ``next_after`` is where the next page begins."""

    provinces: tuple[ProvinceState, ...]
    next_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """Some days of a province, the newest first; ``next_before`` is where the next page begins."""

    province: str
    name: str
    days: tuple[ProvinceDay, ...]
    next_before: date | None


ROWS_OF: Final[Mapping[SheetKind, type[SheetRow]]] = {
    SheetKind.TRAFFIC_HOUR: SiteTraffic,
    SheetKind.TOLL_DAY: StationTolls,
    SheetKind.COMPLETENESS_DAY: DayCompleteness,
}
