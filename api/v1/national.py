# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of provinces at a national centre: handed up by their provinces, read by programs.

An address names the hour or the day, so that the same request again changes nothing.
"""

import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, AwareDatetime

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from api.v1.documented import problems
from api.v1.national_schemas import (
    AcceptanceBody,
    CompletenessDayBody,
    ProvinceDayPageBody,
    ProvincePageBody,
    TollDayBody,
    TrafficHourBody,
)
from api.v1.road_schemas import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from central.contracts.identifiers import SLUG_PATTERN
from central.domain.local_time import start_of_local_day
from central.national.service import NationalService
from central.national.types import FIRST_DAY, LAST_DAY, Sheet, SheetKind

SHEET_BYTES_MAX: Final = 1024 * 1024
"""Largest sheet: as many rows as it may have, in full."""

router = APIRouter(prefix="/v1/national", tags=["national"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")
_PUT_PROBLEMS: Final = (*_PROBLEMS, "province-not-yours", "sheet-invalid", "body-too-large")


def _in_range(day: dt.date) -> dt.date:
    """A day of which there can be figures."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("no province counted anything then")
    return day


def _whole_hour(hour: dt.datetime) -> dt.datetime:
    """The beginning of an hour of which there can be figures."""
    if (hour.minute, hour.second, hour.microsecond) != (0, 0, 0) or hour.utcoffset():
        raise ValueError("need the beginning of an hour in UTC")
    _in_range(hour.date())
    return hour


Province = Annotated[str, Path(pattern=SLUG_PATTERN, description="Code of the province.")]
Hour = Annotated[
    AwareDatetime,
    AfterValidator(_whole_hour),
    Path(description="Beginning of the hour, in UTC.", examples=["2026-11-28T03:00:00Z"]),
]
Day = Annotated[
    dt.date,
    AfterValidator(_in_range),
    Path(description="The day, in Vietnam.", examples=["2026-11-28"]),
]
PageSize = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)]


@router.put("/{province}/traffic/{hour}", responses=problems(*_PUT_PROBLEMS))
async def put_national_traffic(
    province: Province,
    hour: Hour,
    body: TrafficHourBody,
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> AcceptanceBody:
    """Hand up an hour's traffic of the caller's own province, all sites at once."""
    sheet = Sheet(
        kind=SheetKind.TRAFFIC_HOUR, starts_at=hour, revised_at=body.revised_at, rows=body.values
    )
    service = NationalService(connection, user=acting.user)
    return AcceptanceBody(outcome=await service.accept(province, sheet, now=now))


@router.put("/{province}/tolls/{day}", responses=problems(*_PUT_PROBLEMS))
async def put_national_tolls(
    province: Province,
    day: Day,
    body: TollDayBody,
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> AcceptanceBody:
    """Hand up the sums of a day's tolls of the caller's own province, all stations at once."""
    sheet = Sheet(
        kind=SheetKind.TOLL_DAY,
        starts_at=start_of_local_day(day),
        revised_at=body.revised_at,
        rows=body.values,
    )
    service = NationalService(connection, user=acting.user)
    return AcceptanceBody(outcome=await service.accept(province, sheet, now=now))


@router.put("/{province}/completeness/{day}", responses=problems(*_PUT_PROBLEMS))
async def put_national_completeness(
    province: Province,
    day: Day,
    body: CompletenessDayBody,
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> AcceptanceBody:
    """Hand up what the caller's own province stated about a day's completeness."""
    sheet = Sheet(
        kind=SheetKind.COMPLETENESS_DAY,
        starts_at=start_of_local_day(day),
        revised_at=body.revised_at,
        rows=body.values,
    )
    service = NationalService(connection, user=acting.user)
    return AcceptanceBody(outcome=await service.accept(province, sheet, now=now))


@router.get("/provinces", responses=problems(*_PROBLEMS))
async def list_national_provinces(
    *,
    acting: ActingDep,
    connection: Connection,
    day: Annotated[
        dt.date,
        AfterValidator(_in_range),
        Query(description="The day, in Vietnam.", examples=["2026-11-28"]),
    ],
    page_size: PageSize = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(pattern=SLUG_PATTERN, description="`next_cursor` of the page before."),
    ] = None,
) -> ProvincePageBody:
    """One page of provinces by code, each with its figures of one day."""
    service = NationalService(connection, user=acting.user)
    return ProvincePageBody.of(await service.provinces(day, after=cursor or "", size=page_size))


@router.get("/{province}/days", responses=problems(*_PROBLEMS, "province-not-found"))
async def list_national_days(
    province: Province,
    *,
    acting: ActingDep,
    connection: Connection,
    page_size: PageSize = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        dt.date | None, Query(description="`next_cursor` of the page before.")
    ] = None,
) -> ProvinceDayPageBody:
    """One page of a province's days of which anything is held, the newest first."""
    service = NationalService(connection, user=acting.user)
    page = await service.days(province, before=_place(cursor), size=page_size)
    return ProvinceDayPageBody.of(page)


def _place(cursor: dt.date | None) -> dt.date | None:
    """Where the page begins; beyond the days that there can be, at their end."""
    return None if cursor is None else max(FIRST_DAY, min(cursor, LAST_DAY))
