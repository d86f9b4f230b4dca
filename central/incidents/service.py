# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents for whoever may see the passages of the same cameras."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.domain.local_time import start_of_local_day
from central.identity.permissions import Permission
from central.identity.types import User
from central.incidents.errors import IncidentNotFoundError
from central.incidents.repository import IncidentRepository
from central.incidents.types import (
    REPORTS_MAX,
    IncidentFilter,
    IncidentPage,
    IncidentRecord,
    IncidentRequest,
)

LISTED_FOR: Final = timedelta(days=31)
"""How long ago an incident may have begun that is listed without its day being named. Longer: more
tellings are read for every list."""


def span_of(day: date | None, *, now: datetime) -> tuple[datetime, datetime]:
    """From when until when incidents of a list began: that day in Vietnam, or lately."""
    if day is None:
        return now - LISTED_FOR, now + timedelta(days=1)  # a device's clock may be ahead
    begins_at = start_of_local_day(day)
    return begins_at, begins_at + timedelta(days=1)


class IncidentService:
    """What can be asked about incidents, in the caller's transaction and the user's scope."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = IncidentRepository(connection)
        self._user = user

    async def page(self, wanted: IncidentFilter, request: IncidentRequest) -> IncidentPage:
        """One page of incidents, open ones first, then the newest.

        Raises:
            PermissionDeniedError: The user may not see passages.
        """
        self._user.require(Permission.SEE_PASSAGES)
        scope = self._user.scope
        if wanted.site_id is not None:
            scope = scope.narrowed_to(wanted.site_id)
        found = await self._rows.incidents(
            wanted, scope, after=request.after, limit=request.size + 1
        )
        shown = tuple(found[: request.size])
        return IncidentPage(
            incidents=shown, next=shown[-1].cursor if len(found) > request.size else None
        )

    async def open_incidents(self, *, now: datetime) -> int:
        """How many of the incidents that a list without a day shows go on.

        Raises:
            PermissionDeniedError: The user may not see passages.
        """
        self._user.require(Permission.SEE_PASSAGES)
        since, _ = span_of(None, now=now)
        return await self._rows.open_incidents(self._user.scope, since=since)

    async def incident(self, incident_id: UUID) -> IncidentRecord:
        """One incident with its tellings, the oldest first.

        Raises:
            PermissionDeniedError: The user may not see passages.
            IncidentNotFoundError: There is none, or it lies outside the user's sites.
        """
        self._user.require(Permission.SEE_PASSAGES)
        incident = await self._rows.incident(incident_id, self._user.scope)
        if incident is None:
            raise IncidentNotFoundError(incident_id)
        told = await self._rows.reports(incident_id, self._user.scope, limit=REPORTS_MAX + 1)
        return IncidentRecord(
            incident=incident,
            reports=tuple(reversed(told[:REPORTS_MAX])),
            is_cut=len(told) > REPORTS_MAX,
        )
