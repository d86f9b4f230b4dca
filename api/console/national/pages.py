# SPDX-License-Identifier: AGPL-3.0-or-later
"""Provinces with how far behind their figures are, and the days of one province."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.domain.local_time import local_date
from central.national.service import NationalService
from central.national.types import FIRST_DAY, ProvinceDay, ProvinceState

PATH: Final = "/console/national"
PAGE_SIZE: Final = 50
DAY_LENGTH_MAX: Final = 20
BEHIND_AFTER: Final = timedelta(hours=3)
"""An hour goes up some minutes after its end, so that up to an hour and a bit is usual. Higher:
a province that does not answer is marked later."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """A day's figures as they are written; ``None`` where nothing was handed up."""

    day: str
    hours: str
    passages: str | None
    motorcycles: str | None
    cars: str | None
    buses: str | None
    trucks: str | None
    tolls: str | None
    stated: tuple[str, str] | None
    is_whole: bool

    @classmethod
    def of(cls, day: ProvinceDay, speech: Speech) -> "DayView":
        """Write a day's figures."""

        def number(value: int | None) -> str | None:
            return None if value is None else speech.number(value)

        stated = None
        if day.due_count is not None and day.stored_count is not None:
            stated = (speech.number(day.due_count), speech.number(day.stored_count))
        return cls(
            day=speech.day(day.day),
            hours=speech.number(day.hours),
            passages=number(day.passages),
            motorcycles=number(day.motorcycles),
            cars=number(day.cars),
            buses=number(day.buses),
            trucks=number(day.trucks),
            tolls=None if day.charged_dong is None else speech.money(day.charged_dong),
            stated=stated,
            is_whole=day.due_count == day.stored_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvinceView:
    """A province of the list.

    Attributes:
        lag: How far its figures are behind; ``None`` before the first ones.
    """

    url: str
    name: str
    accepted: str | None
    lag: str | None
    is_behind: bool
    figures: DayView

    @classmethod
    def of(cls, province: ProvinceState, speech: Speech, *, now: datetime) -> "ProvinceView":
        """Write a province."""
        lag = province.lag(now=now)
        accepted_at = province.accepted_at
        return cls(
            url=f"{PATH}/{province.code}",
            name=province.name,
            accepted=speech.time_and_date(accepted_at) if accepted_at is not None else None,
            lag=speech.duration(lag) if lag is not None else None,
            is_behind=lag is None or lag > BEHIND_AFTER,
            figures=DayView.of(province, speech),
        )


@router.get(PATH)
async def provinces_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    now: Now,
    day: Annotated[str, Query(max_length=DAY_LENGTH_MAX)] = "",
    after: Annotated[str, Query(pattern=rf"{SLUG_PATTERN}|^$")] = "",
) -> Response:
    """Provinces with the figures of a day, yesterday's when none is chosen."""
    chosen = _chosen(day, now=now)
    service = NationalService(connection, user=user)
    page = await service.provinces(chosen or local_date(now), after=after, size=PAGE_SIZE)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "national/provinces.html",
        user=user,
        status=200 if chosen is not None else 422,
        typed_day=day or _yesterday(now).isoformat(),
        first_day=FIRST_DAY.isoformat(),
        last_day=local_date(now).isoformat(),
        day=speech.day(chosen) if chosen is not None else None,
        provinces=tuple(ProvinceView.of(each, speech, now=now) for each in page.provinces),
        newest_url=_url(day=chosen) if after and chosen else None,
        older_url=_url(day=chosen, after=page.next_after) if page.next_after and chosen else None,
    )


@router.get(f"{PATH}/{{province}}")
async def province_page(
    request: Request,
    province: Annotated[str, Path(pattern=SLUG_PATTERN)],
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    before: date | None = None,
) -> Response:
    """The days of one province, the newest first."""
    place = None if before is None else max(FIRST_DAY, before)
    page = await NationalService(connection, user=user).days(province, before=place, size=PAGE_SIZE)
    speech = console.renderer.speeches[language_of(request)]
    own = f"{PATH}/{page.province}"
    return console.renderer.page(
        request,
        "national/province.html",
        user=user,
        name=page.name,
        days=tuple(DayView.of(each, speech) for each in page.days),
        newest_url=own if place else None,
        older_url=f"{own}?before={page.next_before}" if page.next_before else None,
    )


def _yesterday(now: datetime) -> date:
    """The newest day that is over."""
    return local_date(now) - timedelta(days=1)


def _chosen(typed: str, *, now: datetime) -> date | None:
    """The day that somebody typed; ``None`` for what is none, or has not begun."""
    if not typed:
        return _yesterday(now)
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= local_date(now) else None


def _url(**values: object) -> str:
    return f"{PATH}?{urlencode(values)}"
