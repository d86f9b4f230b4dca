# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of incidents, and one of them."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.console.incidents.query import LIST_PATH, IncidentQuery
from api.console.incidents.views import detail_view, incident_view
from api.console.parts import Console
from api.deps.request import Connection, Now, SignedIn
from api.pages.rendering import language_of
from central.contracts.incident import IncidentKind
from central.identity.permissions import Permission
from central.incidents.service import LISTED_FOR, IncidentService
from central.incidents.types import IncidentState
from central.sites.service import SiteService

STATES: Final = tuple(IncidentState)
KINDS: Final = tuple(IncidentKind)

router = APIRouter(include_in_schema=False)


@router.get(LIST_PATH)
async def list_page(
    request: Request, *, console: Console, user: SignedIn, connection: Connection, now: Now
) -> Response:
    """The list that an address describes, open incidents first."""
    user.require(Permission.SEE_PASSAGES)
    speech = console.renderer.speeches[language_of(request)]
    sites = await SiteService(connection).sites(user.scope)
    query = IncidentQuery.parse(request.query_params, sites=frozenset(each.id for each in sites))
    page = await IncidentService(connection, user=user).page(
        query.as_filter(now=now), query.as_request()
    )
    return console.renderer.page(
        request,
        "incidents/list.html",
        user=user,
        query=query,
        sites=sites,
        kinds=KINDS,
        states=STATES,
        days_listed=LISTED_FOR.days,
        rows=tuple(incident_view(each, speech) for each in page.incidents),
        newest_url=query.first().url() if query.at else None,
        older_url=None if page.next is None else query.following(page.next).url(),
    )


@router.get(f"{LIST_PATH}/{{incident_id}}")
async def incident_page(
    request: Request,
    incident_id: UUID,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
) -> Response:
    """One incident; every picture that its page shows is a look of its own."""
    record = await IncidentService(connection, user=user).incident(incident_id)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request, "incidents/detail.html", user=user, incident=detail_view(record, speech)
    )
