# SPDX-License-Identifier: AGPL-3.0-or-later
"""From where to where vehicles went on a day, and the same as a file. No plate is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from psycopg import AsyncConnection
from starlette.responses import Response

from api.console.exports.files import file_response
from api.console.exports.sheet import FileKind, Sheet
from api.console.parts import Console
from api.console.traffic.question import PATH
from api.console.wording import Translate
from api.deps.heavy import Heavy
from api.deps.request import Connection, Now, ProcessDep, SignedIn
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.domain.local_time import local_date, start_of_local_day
from central.errors import SearchTooWideError
from central.identity.permissions import Permission
from central.identity.types import User
from central.sites.service import SiteService
from central.traffic.journeys import PAIRS_MAX, PAUSE_MAX, VEHICLES_MIN, JourneyService, JourneySpan
from central.traffic.types import DAY, JourneyCount

JOURNEYS_PATH: Final = f"{PATH}/journeys"
FIRST_DAY: Final = date(2020, 1, 1)
ROWS_SHOWN_MAX: Final = 200
"""Pairs of sites on the page, the commonest; the file holds all that are told."""

_MOMENT: Final = timedelta(seconds=1)
"""A day that has just begun is not empty."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyView:
    """A pair of sites, as a row."""

    origin: str
    destination: str
    journeys: str
    vehicles: str
    duration: str


@router.get(JOURNEYS_PATH)
async def journeys_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    heavy: Heavy,
    process: ProcessDep,
    now: Now,
    file: Annotated[FileKind | None, Query()] = None,
) -> Response:
    """The journeys of one day, yesterday's when none is named; a wrong day comes back as typed."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    today = local_date(now)
    typed = request.query_params.get("day", "") or str(today - DAY)
    day = _day(typed, today=today)
    found: Sequence[JourneyCount] = ()
    is_too_wide = False
    if day is not None:
        question = partial(
            _count,
            user=user,
            span=_span(day, now=now),
            search_time=process.settings.database_search_time,
        )
        try:
            found = await heavy.ask(question)
        except SearchTooWideError:
            is_too_wide = True
    names = {each.id: each.name for each in await SiteService(connection).sites(user.scope)}
    is_good = day is not None and not is_too_wide
    if file is not None and is_good:
        return await file_response(_sheet(found, names, day=typed, _=speech.text), file)
    return console.renderer.page(
        request,
        "traffic/journeys.html",
        user=user,
        status=200 if is_good else 422,
        typed_day=typed,
        first_day=FIRST_DAY,
        last_day=today,
        is_day=day is not None,
        is_too_wide=is_too_wide,
        rows=[_view(each, names, speech) for each in found[:ROWS_SHOWN_MAX]],
        is_cut=len(found) > ROWS_SHOWN_MAX or len(found) >= PAIRS_MAX,
        vehicles_min=VEHICLES_MIN,
        pause=speech.duration(PAUSE_MAX),
        file_url=f"{JOURNEYS_PATH}?{urlencode({'day': typed, 'file': FileKind.CSV})}",
        path=JOURNEYS_PATH,
    )


async def _count(
    connection: AsyncConnection, *, user: User, span: JourneySpan, search_time: timedelta
) -> Sequence[JourneyCount]:
    return await JourneyService(connection, user=user, search_time=search_time).count(span)


def _day(text: str, *, today: date) -> date | None:
    """A day that can have journeys, or ``None``."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= today else None


def _span(day: date, *, now: datetime) -> JourneySpan:
    """The day, so far as it has come."""
    begins_at = start_of_local_day(day)
    return JourneySpan(since=begins_at, until=max(min(begins_at + DAY, now), begins_at + _MOMENT))


def _view(counted: JourneyCount, names: Mapping[str, str], speech: Speech) -> JourneyView:
    return JourneyView(
        origin=names.get(counted.origin_id, counted.origin_id),
        destination=names.get(counted.destination_id, counted.destination_id),
        journeys=speech.number(counted.journeys),
        vehicles=speech.number(counted.vehicles),
        duration=speech.duration(timedelta(seconds=counted.median_duration_s)),
    )


def _sheet(
    found: Sequence[JourneyCount], names: Mapping[str, str], *, day: str, _: Translate
) -> Sheet:
    return Sheet(
        name=f"journeys-{day}",
        title=_("Journeys"),
        headings=(
            _("From site"),
            _("To site"),
            _("Journeys"),
            _("Vehicles"),
            _("Median duration, minutes"),
        ),
        rows=[
            (
                names.get(each.origin_id, each.origin_id),
                names.get(each.destination_id, each.destination_id),
                each.journeys,
                each.vehicles,
                round(each.median_duration_s / 60, 1),
            )
            for each in found
        ],
    )
