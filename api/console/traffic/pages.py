# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of traffic over days, months and years, and its tables as files."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api.console.charts.chart import Chart, SeriesStyle
from api.console.charts.traffic import (
    latency_chart,
    series_of,
    share_chart,
    speed_chart,
    times_of,
)
from api.console.charts.views import chart_sheet, chart_view
from api.console.exports.files import file_response
from api.console.exports.sheet import FileKind
from api.console.parts import Console
from api.console.traffic.question import PATH, QUARTER, Fault, Question
from api.console.wording import Translate
from api.deps.heavy import Heavy
from api.deps.request import Connection, Now, SignedIn
from api.errors import NotHereError
from api.pages.rendering import language_of
from central.db.replica import HeavyReads
from central.domain.local_time import local_date
from central.identity.permissions import Permission
from central.identity.types import User
from central.sites.service import SiteService
from central.sites.types import Site
from central.traffic.service import TrafficService
from central.traffic.types import HOUR, FlowSlot, Span

KEY_LENGTH_MAX: Final = 40

router = APIRouter(include_in_schema=False)


@router.get(PATH)
async def traffic_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    heavy: Heavy,
    now: Now,
) -> Response:
    """Charts of the span that was asked for; a wrong question comes back with what is wrong."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    question = Question.parse(request.query_params, today=local_date(now))
    sites = await SiteService(connection).sites(user.scope)
    span = _span(question, sites)
    charts: Mapping[str, Chart] = {}
    if isinstance(span, Span):
        slots = await _slots(heavy, user, question, span)
        charts = _charts(slots, slot=span.slot, now=now, _=speech.text)
    return console.renderer.page(
        request,
        "traffic/page.html",
        user=user,
        status=422 if isinstance(span, Fault) else 200,
        question=question,
        sites=sites,
        fault=span if isinstance(span, Fault) else None,
        charts=[(chart_view(each, speech), question.url(key)) for key, each in charts.items()],
        path=PATH,
    )


@router.get(f"{PATH}/{{key}}")
async def chart_file(
    request: Request,
    key: Annotated[str, Path(max_length=KEY_LENGTH_MAX)],
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    heavy: Heavy,
    now: Now,
    kind: Annotated[FileKind, Query(alias="file")] = FileKind.CSV,
) -> Response:
    """One chart's table as a file; it holds numbers only, so no purpose is asked."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    question = Question.parse(request.query_params, today=local_date(now))
    span = _span(question, await SiteService(connection).sites(user.scope))
    if isinstance(span, Fault):
        raise NotHereError
    slots = await _slots(heavy, user, question, span)
    chart = _charts(slots, slot=span.slot, now=now, _=speech.text).get(key)
    if chart is None:
        raise NotHereError
    return await file_response(chart_sheet(chart, time_heading=speech.text("Time")), kind)


def _span(question: Question, sites: Sequence[Site]) -> Span | Fault:
    """The span, if the days are good and the site is one that the person may see."""
    if question.site and question.site not in {each.id for each in sites}:
        return Fault.UNKNOWN_SITE
    return question.span()


async def _slots(
    heavy: HeavyReads, user: User, question: Question, span: Span
) -> Sequence[FlowSlot]:
    return await heavy.ask(
        lambda connection: TrafficService(connection, user=user).flow(
            span, site_id=question.site or None
        )
    )


def _charts(
    slots: Sequence[FlowSlot], *, slot: timedelta, now: datetime, _: Translate
) -> Mapping[str, Chart]:
    """The page's charts by key; slots that have not begun are left out."""
    begun = [each for each in slots if each.starts_at <= now]
    charts = (
        _flow(begun, slot=slot, _=_),
        _kinds(begun, _),
        share_chart(begun, _),
        speed_chart(begun, _),
        latency_chart(begun, _),
    )
    return {chart.key: chart for chart in charts}


def _flow(slots: Sequence[FlowSlot], *, slot: timedelta, _: Translate) -> Chart:
    titles = {QUARTER: _("Passages per 15 minutes"), HOUR: _("Passages per hour")}
    return Chart(
        key="flow",
        title=titles.get(slot, _("Passages per day")),
        unit="",
        times=times_of(slots),
        series=(
            series_of(slots, _("Passages"), SeriesStyle.AREA, lambda each: each.passages),
            series_of(slots, _("Sent late"), SeriesStyle.DOTTED, lambda each: each.late),
        ),
    )


def _kinds(slots: Sequence[FlowSlot], _: Translate) -> Chart:
    """What the cameras took the vehicles for."""
    return Chart(
        key="kinds",
        title=_("Vehicles by kind"),
        unit="",
        times=times_of(slots),
        series=(
            series_of(slots, _("Motorcycles"), SeriesStyle.AREA, lambda each: each.motorcycles),
            series_of(slots, _("Cars"), SeriesStyle.LINE, lambda each: each.cars),
            series_of(slots, _("Trucks"), SeriesStyle.DASHED, lambda each: each.trucks),
            series_of(slots, _("Buses"), SeriesStyle.DOTTED, lambda each: each.buses),
        ),
    )
