# SPDX-License-Identifier: AGPL-3.0-or-later
"""The map's page, and its list for refreshing it."""

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.map.views import SIGNS, SiteView, site_views
from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.identity.permissions import Permission
from central.identity.types import User
from central.sites.service import SiteService
from central.traffic.service import TrafficService

MAP_PATH: Final = "/console/map"
COUNTED: Final = timedelta(hours=1)

router = APIRouter(include_in_schema=False)


@router.get(MAP_PATH)
async def map_page(
    request: Request, *, console: Console, user: SignedIn, connection: Connection, now: Now
) -> Response:
    """Every site of the user's scope."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "map/page.html",
        user=user,
        sites=await _sites(connection, user, speech, now=now),
        signs=SIGNS,
    )


@router.get(f"{MAP_PATH}/sites")
async def sites_piece(
    request: Request, *, console: Console, user: SignedIn, connection: Connection, now: Now
) -> Response:
    """The list; by itself it leads to the page."""
    user.require(Permission.SEE_PASSAGES)
    if "hx-request" not in request.headers:
        return RedirectResponse(MAP_PATH, status_code=303)
    speech = console.renderer.speeches[language_of(request)]
    sites = await _sites(connection, user, speech, now=now)
    return console.renderer.piece(request, "map/sites.html", sites=sites)


async def _sites(
    connection: AsyncConnection, user: User, speech: Speech, *, now: datetime
) -> tuple[SiteView, ...]:
    sites = SiteService(connection)
    return site_views(
        await sites.placed(user.scope),
        devices=await sites.devices(user.scope),
        passages=await TrafficService(connection, user=user).by_site(since=now - COUNTED),
        speech=speech,
        now=now,
    )
