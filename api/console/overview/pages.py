# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview, its pieces that refresh themselves, and its figures as files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.alerts.query import STREAM_PATH as ALERTS_STREAM_PATH
from api.console.alerts.views import AlertRowView, alert_row
from api.console.charts.chart import Chart
from api.console.charts.views import ChartView, chart_sheet, chart_view
from api.console.exports.files import file_response
from api.console.exports.sheet import FileKind
from api.console.filters import LIST_PATH as PASSAGES_PATH
from api.console.health import OverviewView, overview_view
from api.console.overview.day_charts import day_charts
from api.console.parts import Console, ConsoleParts
from api.console.views import RowView, row_view
from api.deps.looks import ListLook
from api.deps.request import Connection, Now, Process, ProcessDep, SignedIn
from api.errors import NotHereError
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.control.service import AlertService
from central.control.types import AlertFilter, AlertState, ListRequest
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import Permission
from central.identity.types import User
from central.incidents.service import IncidentService
from central.passages.service import PassageService
from central.passages.types import PageRequest, PassageFilter
from central.sites.service import SiteService

OVERVIEW_PATH: Final = "/console/overview"
ROWS_SHOWN_MAX: Final = 8

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePassagesView:
    """The newest passages, and where the live feed goes on."""

    rows: tuple[RowView, ...]
    live_url: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlertsView:
    """The newest open alerts, how many there are, and where their feed goes on."""

    rows: tuple[AlertRowView, ...]
    count: int
    live_url: str
    position: int


@router.get(OVERVIEW_PATH, dependencies=[ListLook])
async def overview_page(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    user: SignedIn,
    connection: Connection,
    now: Now,
) -> Response:
    """The whole page."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "overview/page.html",
        user=user,
        overview=await health_strip(connection, user, speech, now=now),
        passages=await _passages(connection, user, speech, now=now),
        alerts=await _alerts(connection, user, speech),
        charts=_views(await _charts(console, process, user, speech, now=now), speech),
        rows_max=ROWS_SHOWN_MAX,
        path=OVERVIEW_PATH,
    )


@router.get(f"{OVERVIEW_PATH}/strip")
async def strip(
    request: Request, *, console: Console, user: SignedIn, connection: Connection, now: Now
) -> Response:
    """How devices are, for refreshing it; by itself it leads to the page."""
    user.require(Permission.SEE_PASSAGES)
    if "hx-request" not in request.headers:
        return RedirectResponse(OVERVIEW_PATH, status_code=303)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.piece(
        request,
        "overview/strip.html",
        overview=await health_strip(connection, user, speech, now=now),
    )


@router.get(f"{OVERVIEW_PATH}/charts")
async def charts_piece(
    request: Request, *, console: Console, process: ProcessDep, user: SignedIn, now: Now
) -> Response:
    """The charts, for refreshing them; by themselves they lead to the page."""
    user.require(Permission.SEE_PASSAGES)
    if "hx-request" not in request.headers:
        return RedirectResponse(OVERVIEW_PATH, status_code=303)
    speech = console.renderer.speeches[language_of(request)]
    charts = await _charts(console, process, user, speech, now=now)
    return console.renderer.piece(
        request, "overview/charts.html", charts=_views(charts, speech), path=OVERVIEW_PATH
    )


@router.get(f"{OVERVIEW_PATH}/charts/{{key}}")
async def chart_file(
    request: Request,
    key: Annotated[str, Path(max_length=40)],
    *,
    console: Console,
    process: ProcessDep,
    user: SignedIn,
    now: Now,
    kind: Annotated[FileKind, Query(alias="file")] = FileKind.CSV,
) -> Response:
    """One chart's table as a file; it holds numbers only, so no purpose is asked."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    chart = (await _charts(console, process, user, speech, now=now)).get(key)
    if chart is None:
        raise NotHereError
    return await file_response(chart_sheet(chart, time_heading=speech.text("Time")), kind)


async def health_strip(
    connection: AsyncConnection, user: User, speech: Speech, *, now: datetime
) -> OverviewView:
    """How devices are, and how many passed today; pages above which it stands use it, too."""
    sites = SiteService(connection)
    today = PassageFilter(captured_from=start_of_local_day(local_date(now)))
    return overview_view(
        devices=await sites.devices(user.scope),
        cameras=await sites.cameras(user.scope),
        today=await PassageService(connection).count(today, scope=user.scope),
        open_incidents=await IncidentService(connection, user=user).open_incidents(now=now),
        speech=speech,
        now=now,
    )


async def _passages(
    connection: AsyncConnection, user: User, speech: Speech, *, now: datetime
) -> LivePassagesView:
    """The feed's end is read first, so that no row falls between."""
    service = PassageService(connection)
    position = await service.feed_position()
    request = PageRequest(size=ROWS_SHOWN_MAX)
    page = await service.search(PassageFilter(), request, scope=user.scope, now=now)
    return LivePassagesView(
        rows=tuple(row_view(each, speech) for each in page.passages),
        live_url=f"{PASSAGES_PATH}/stream",
        position=position,
    )


async def _alerts(connection: AsyncConnection, user: User, speech: Speech) -> OpenAlertsView | None:
    """Open alerts; ``None`` for those who may not see any."""
    if not user.may(Permission.SEE_ALERTS):
        return None
    service = AlertService(connection)
    position = await service.feed_position()
    page = await service.list_alerts(
        AlertFilter(states=(AlertState.OPEN,)), ListRequest(size=ROWS_SHOWN_MAX), user=user
    )
    return OpenAlertsView(
        rows=tuple(alert_row(each, speech) for each in page.alerts),
        count=await service.count_open(user=user),
        live_url=ALERTS_STREAM_PATH,
        position=position,
    )


async def _charts(
    console: ConsoleParts, process: Process, user: User, speech: Speech, *, now: datetime
) -> dict[str, Chart]:
    figures = await console.figures.figures(process, user=user, now=now)
    return dict(day_charts(figures, now=now, _=speech.text))


def _views(charts: dict[str, Chart], speech: Speech) -> tuple[ChartView, ...]:
    return tuple(chart_view(chart, speech) for chart in charts.values())
