# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closed toll days: their list, one of them, closing one, and taking a provider's file."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from psycopg import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.console.tolls.day_labels import error_words
from api.console.tolls.day_views import (
    DAYS_PATH,
    UploadView,
    day_page_view,
    day_url,
    day_view,
    older_url,
    upload_view,
)
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now
from api.pages.rendering import language_of
from central.contracts.identifiers import SLUG_PATTERN
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.tolling.day.errors import FileFault, ProviderFileError, TollDayNotOverError
from central.tolling.day.provider_file import read_provider_file
from central.tolling.day.service import TollDayService
from central.tolling.day.types import ClosingMode, DayCursor, DayKey, DayPageRequest
from central.tolling.service import TollService

PAGE_SIZE: Final = 30
YES: Final = "yes"
FILE_PART: Final = "/file"
FILE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Largest file that the page takes, some 90 000 rows; the command takes larger ones."""

FILE_BODY_BYTES_MAX: Final = 2 * FILE_BYTES_MAX
"""Largest body of its form: a file that is somewhat too large is told so in words."""

FILE_NAME_LENGTH_MAX: Final = 255
FORM_FIELDS_MAX: Final = 4
UNNAMED: Final = "file.csv"

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
    request: Request,
    day_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """One closed day with its sums and differences."""
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    return await maker.day(day_id)


@router.post(f"{DAYS_PATH}/{{day_id}}{FILE_PART}")
async def take_file(
    request: Request,
    day_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Compare a day with a provider's file and close it again; faults come back with their lines.

    The form is read only when the user may send one, as it may be large.
    """
    acting.user.require(Permission.CLOSE_TOLL_DAYS)
    service = TollDayService(connection)
    key = (await service.day(day_id, user=acting.user)).day.key
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    given = await _given_file(request)
    if given.provider not in await service.providers(user=acting.user):
        return await maker.day(day_id, upload=maker.problem(FileFault.PROVIDER))
    if len(given.content) > FILE_BYTES_MAX:
        return await maker.day(day_id, upload=maker.problem(FileFault.TOO_LARGE))
    try:
        file = await asyncio.to_thread(
            read_provider_file, given.content, name=given.name, provider=given.provider, key=key
        )
        closed = await service.close(
            key,
            file=file,
            mode=ClosingMode.SO_FAR,
            user=acting.user,
            actor=acting.actor,
            now=now,
        )
    except ProviderFileError as error:
        return await maker.day(day_id, upload=maker.problems(error))
    return RedirectResponse(day_url(closed.day), status_code=303)


def file_body_bytes_max(method: str, path: str) -> int | None:
    """Largest body that an address takes because it may hold a file; ``None`` for all others."""
    is_file = method == "POST" and path.startswith(DAYS_PATH) and path.endswith(FILE_PART)
    return FILE_BODY_BYTES_MAX if is_file else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _GivenFile:
    """What the form sent; ``content`` has at most one byte more than is taken."""

    provider: str
    name: str
    content: bytes


async def _given_file(request: Request) -> _GivenFile:
    """Read the form; without a file its content is empty."""
    async with request.form(max_files=1, max_fields=FORM_FIELDS_MAX) as form:
        provider, file = form.get("provider"), form.get("file")
        named = provider if isinstance(provider, str) else ""
        if not isinstance(file, UploadFile):
            return _GivenFile(provider=named, name=UNNAMED, content=b"")
        return _GivenFile(
            provider=named,
            name=(file.filename or UNNAMED)[-FILE_NAME_LENGTH_MAX:],
            content=await file.read(FILE_BYTES_MAX + 1),
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

    async def day(self, day_id: UUID, *, upload: UploadView | None = None) -> Response:
        """One closed day; with faults of a file its form says what to put right."""
        user = self._acting.user
        service = TollDayService(self._connection)
        detail = await service.day(day_id, user=user)
        may_close = user.may(Permission.CLOSE_TOLL_DAYS)
        view = day_page_view(detail, self._speech)
        return self._renderer.page(
            self._request,
            "tolls/day.html",
            user=user,
            status=422 if upload else 200,
            detail=view,
            station_id=detail.day.key.station_id,
            day_iso=detail.day.key.day.isoformat(),
            may_close=may_close,
            providers=await service.providers(user=user) if may_close else (),
            upload=upload,
            file_megabytes_max=FILE_BYTES_MAX // 1024**2,
        )

    def problem(self, fault: FileFault) -> UploadView:
        """One fault of a whole file."""
        return upload_view([(None, fault)], count=1, speech=self._speech)

    def problems(self, error: ProviderFileError) -> UploadView:
        """Every fault of a file, with its line."""
        return upload_view(
            [(each.line, each.fault) for each in error.problems],
            count=error.problems_count,
            speech=self._speech,
        )

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
