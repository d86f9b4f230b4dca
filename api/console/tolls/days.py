# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closed toll days: their list, one of them, and closing one."""

from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.console.tolls.day_labels import error_words
from api.console.tolls.day_views import DAYS_PATH, day_page_view, day_url, day_view, older_url
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.tolling.day.errors import TollDayNotOverError
from central.tolling.day.service import TollDayService
from central.tolling.day.types import ClosingMode, DayCursor, DayKey, DayPageRequest
from central.tolling.service import TollService

PAGE_SIZE: Final = 30
YES: Final = "yes"

router = APIRouter(include_in_schema=False)


@router.get(DAYS_PATH)
async def days_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    before: date | None = None,
    station: Annotated[str, Query(pattern=f"{SLUG_PATTERN}|^$")] = "",
) -> Response:
    """Closed days, newest first, and the form that closes one."""
    after = DayCursor(day=before, station_id=station) if before else None
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    return await maker.listing(after=after)


@router.post(DAYS_PATH)
async def close_day(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    station: Annotated[str, Form(pattern=SLUG_PATTERN)],
    day: Annotated[date, Form()],
    so_far: Annotated[str, Form(max_length=len(YES))] = "",
) -> Response:
    """Close a day and go to it; a day that is not over comes back in the form."""
    key = DayKey(station_id=station, day=day)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    try:
        closed = await TollDayService(connection).close(
            key,
            mode=ClosingMode.SO_FAR if so_far == YES else ClosingMode.WHOLE_DAY,
            user=acting.user,
            actor=acting.actor,
            now=now,
        )
    except TollDayNotOverError:
        return await maker.listing(after=None, chosen=key, problem="toll-day-not-over")
    return RedirectResponse(day_url(closed.day), status_code=303)


@router.get(f"{DAYS_PATH}/{{day_id}}")
async def day_page(
    request: Request, day_id: UUID, *, console: Console, acting: ActingDep, connection: Connection
) -> Response:
    """One closed day with its sums and differences."""
    detail = await TollDayService(connection).day(day_id, user=acting.user)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "tolls/day.html",
        user=acting.user,
        detail=day_page_view(detail, speech),
        station_id=detail.day.key.station_id,
        day_iso=detail.day.key.day.isoformat(),
        may_close=acting.user.may(Permission.CLOSE_TOLL_DAYS),
    )


class _Maker:
    """Makes the list for one request."""

    def __init__(
        self,
        request: Request,
        *,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
        now: datetime,
    ) -> None:
        self._request = request
        self._renderer = console.renderer
        self._speech = console.renderer.speeches[language_of(request)]
        self._acting = acting
        self._connection = connection
        self._today = local_date(now)

    async def listing(
        self,
        *,
        after: DayCursor | None,
        chosen: DayKey | None = None,
        problem: str | None = None,
    ) -> Response:
        """The list; with a problem the form says what to put right."""
        user = self._acting.user
        page = await TollDayService(self._connection).days(
            DayPageRequest(size=PAGE_SIZE, after=after), user=user
        )
        stations = await TollService(self._connection).station_days(self._today, user=user)
        return self._renderer.page(
            self._request,
            "tolls/days.html",
            user=user,
            status=422 if problem else 200,
            days=tuple(day_view(each, self._speech) for each in page.days),
            older_url=older_url(page.next) if page.next else None,
            newest_url=DAYS_PATH if after else None,
            stations=tuple(each.station for each in stations),
            chosen_station=chosen.station_id if chosen else None,
            chosen_day=(chosen.day if chosen else self._today).isoformat(),
            problem=error_words(self._speech.text)[problem] if problem else None,
            may_close=user.may(Permission.CLOSE_TOLL_DAYS),
        )
