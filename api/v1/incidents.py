# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents for programs: how each stands, and what was told of it."""

import datetime as dt
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from api.deps.acting import ActingDep
from api.deps.incident_places import PLACE_PATTERN, parse_incident_place
from api.deps.request import Connection, Now
from api.v1.documented import problems
from api.v1.incident_schemas import IncidentPageBody, IncidentRecordBody
from api.v1.road_schemas import PAGE_SIZE_DEFAULT
from central.contracts.identifiers import SLUG_PATTERN
from central.contracts.incident import IncidentKind
from central.incidents.service import IncidentService, span_of
from central.incidents.types import (
    FIRST_DAY,
    LAST_DAY,
    PAGE_SIZE_MAX,
    IncidentFilter,
    IncidentRequest,
    IncidentState,
)

router = APIRouter(prefix="/v1/incidents", tags=["incidents"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")


@router.get("", responses=problems(*_PROBLEMS, "cursor-invalid"))
async def list_incidents(
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    kind: Annotated[
        list[IncidentKind], Query(max_length=len(IncidentKind), description="May be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies defaults
    state: Annotated[
        list[IncidentState], Query(max_length=len(IncidentState), description="May be repeated.")
    ] = [],  # noqa: B006 - FastAPI copies defaults
    site_id: Annotated[str | None, Query(pattern=SLUG_PATTERN)] = None,
    day: Annotated[
        dt.date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="The day, in Vietnam.")
    ] = None,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(pattern=PLACE_PATTERN, description="`next_cursor` of the page before."),
    ] = None,
) -> IncidentPageBody:
    """One page of incidents as they stand, open ones first; without a day the last 31 days'."""
    since, until = span_of(day, now=now)
    wanted = IncidentFilter(
        since=since, until=until, kinds=tuple(kind), states=tuple(state), site_id=site_id
    )
    after = None if cursor is None else parse_incident_place(cursor)
    page = await IncidentService(connection, user=acting.user).page(
        wanted, IncidentRequest(size=page_size, after=after)
    )
    return IncidentPageBody.of(page)


@router.get("/{incident_id}", responses=problems(*_PROBLEMS, "incident-not-found"))
async def get_incident(
    incident_id: UUID, *, acting: ActingDep, connection: Connection
) -> IncidentRecordBody:
    """One incident with everything that was told of it, and where its pictures are."""
    record = await IncidentService(connection, user=acting.user).incident(incident_id)
    return IncidentRecordBody.of(record)
