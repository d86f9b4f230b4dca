# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of provinces, as they are handed up and as programs read them."""

import datetime as dt
from typing import Annotated, Self

from pydantic import AwareDatetime, Field

from api.v1.schemas import StrictBody
from central.contracts.identifiers import Slug
from central.national.types import (
    ROWS_MAX,
    Acceptance,
    DayCompleteness,
    DayPage,
    ProvinceDay,
    ProvincePage,
    ProvinceState,
    SiteTraffic,
    StationTolls,
)

INTEGER_MAX = 2**31 - 1
BIGINT_MAX = 2**63 - 1
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
BigCount = Annotated[int, Field(ge=0, le=BIGINT_MAX)]
Revision = Annotated[int, Field(ge=1, le=INTEGER_MAX)]


class SiteTrafficBody(StrictBody):
    """Passages of one site in an hour, by the class that the camera saw."""

    site_id: Slug
    passages: Annotated[int, Field(ge=1, le=INTEGER_MAX)]
    plates_read: Count
    late: Count
    motorcycles: Count
    cars: Count
    buses: Count
    trucks: Count


class StationTollsBody(StrictBody):
    """Sums of a station's closed day."""

    station_id: Slug
    revision: Revision = Field(description="How often the day was closed.")
    crossings: Count
    charged: Count
    charged_dong: BigCount


class DayCompletenessBody(StrictBody):
    """What was stated about a day: captured = stored, and how many gaps."""

    revision: Revision = Field(description="How often something was stated about the day.")
    due_count: BigCount
    stored_count: BigCount
    gap_count: BigCount


class _SheetBody(StrictBody):
    revised_at: AwareDatetime = Field(
        description="When the figures were last made: an older version never replaces a newer one."
    )


class TrafficHourBody(_SheetBody):
    """All sites of a province with passages in an hour; replaces what was there."""

    rows: Annotated[tuple[SiteTrafficBody, ...], Field(max_length=ROWS_MAX)]

    @property
    def values(self) -> tuple[SiteTraffic, ...]:
        """The rows as the centre knows them."""
        return tuple(SiteTraffic(**row.model_dump()) for row in self.rows)


class TollDayBody(_SheetBody):
    """All toll stations of a province whose day is closed; replaces what was there."""

    rows: Annotated[tuple[StationTollsBody, ...], Field(max_length=ROWS_MAX)]

    @property
    def values(self) -> tuple[StationTolls, ...]:
        """The rows as the centre knows them."""
        return tuple(StationTolls(**row.model_dump()) for row in self.rows)


class CompletenessDayBody(_SheetBody):
    """What a province stated about a day; replaces what was there."""

    rows: Annotated[tuple[DayCompletenessBody, ...], Field(min_length=1, max_length=1)]

    @property
    def values(self) -> tuple[DayCompleteness, ...]:
        """The row as the centre knows it."""
        return tuple(DayCompleteness(**row.model_dump()) for row in self.rows)


class AcceptanceBody(StrictBody):
    """What became of a sheet of figures."""

    outcome: Acceptance


class ProvinceDayBody(StrictBody):
    """A day of one province; null where nothing was handed up."""

    day: dt.date
    hours: int = Field(description="Hours of the day that were handed up.")
    passages: int | None
    plates_read: int | None
    motorcycles: int | None
    cars: int | None
    buses: int | None
    trucks: int | None
    charged: int | None = Field(description="Toll crossings that were charged.")
    charged_dong: int | None
    due_count: int | None = Field(description="Captured, as the province stated it.")
    stored_count: int | None
    gap_count: int | None

    @classmethod
    def of(cls, day: ProvinceDay) -> Self:
        """Describe a day."""
        return cls(**{name: getattr(day, name) for name in ProvinceDayBody.model_fields})


class ProvinceBody(StrictBody):
    """A province with one of its days."""

    code: str
    name: str
    accepted_at: AwareDatetime | None = Field(description="When its newest figures came.")
    traffic_until: AwareDatetime | None = Field(
        description="End of the newest hour that it handed up."
    )
    figures: ProvinceDayBody

    @classmethod
    def of(cls, province: ProvinceState) -> Self:
        """Describe a province."""
        return cls(
            code=province.code,
            name=province.name,
            accepted_at=province.accepted_at,
            traffic_until=province.traffic_until,
            figures=ProvinceDayBody.of(province),
        )


class ProvincePageBody(StrictBody):
    """One page of provinces, by code."""

    provinces: tuple[ProvinceBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: ProvincePage) -> Self:
        """Describe a page."""
        return cls(
            provinces=tuple(map(ProvinceBody.of, page.provinces)), next_cursor=page.next_after
        )


class ProvinceDayPageBody(StrictBody):
    """One page of a province's days, the newest first."""

    province: str
    name: str
    days: tuple[ProvinceDayBody, ...]
    next_cursor: dt.date | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: DayPage) -> Self:
        """Describe a page."""
        return cls(
            province=page.province,
            name=page.name,
            days=tuple(map(ProvinceDayBody.of, page.days)),
            next_cursor=page.next_before,
        )
