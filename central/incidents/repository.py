# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents out of what devices told; read only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.contracts.evidence_notice import EvidenceFate
from central.contracts.incident import IncidentKind, IncidentPhase
from central.db.queries import QueryFile
from central.domain.scope import SiteScope
from central.incidents.types import (
    Incident,
    IncidentCursor,
    IncidentFilter,
    IncidentPicture,
    IncidentReport,
)

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _IncidentRow:
    """An incident with the words that the database keeps."""

    id: UUID
    kind: str
    phase: str
    began_at: datetime
    told_at: datetime
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    lane: int | None
    confidence: float
    picture_sha256: str | None

    def as_incident(self) -> Incident:
        return Incident(
            id=self.id,
            kind=IncidentKind(self.kind),
            phase=IncidentPhase(self.phase),
            began_at=self.began_at,
            told_at=self.told_at,
            site_id=self.site_id,
            site_name=self.site_name,
            camera_id=self.camera_id,
            camera_name=self.camera_name,
            lane=self.lane,
            confidence=self.confidence,
            picture_sha256=self.picture_sha256,
        )


class IncidentRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def incidents(
        self, wanted: IncidentFilter, scope: SiteScope, *, after: IncidentCursor | None, limit: int
    ) -> Sequence[Incident]:
        """Incidents after a place, open ones first, then the newest."""
        async with self._connection.cursor(row_factory=class_row(_IncidentRow)) as cursor:
            await cursor.execute(
                QUERIES["select_incidents"],
                {
                    "scope": scope.as_list(),
                    "since": wanted.since,
                    "until": wanted.until,
                    "kinds": list(wanted.kinds) or None,
                    "states": list(wanted.states) or None,
                    "after_is_open": None if after is None else after.is_open,
                    "after_at": None if after is None else after.began_at,
                    "after_id": None if after is None else after.incident_id,
                    "rows_max": limit,
                },
            )
            return [each.as_incident() for each in await cursor.fetchall()]

    async def open_incidents(self, scope: SiteScope, *, since: datetime) -> int:
        """How many incidents that began since then are not over."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["count_open_incidents"],
                {"scope": scope.as_list(), "since": since},
            )
            return int(await cursor.fetchone() or 0)

    async def incident(self, incident_id: UUID, scope: SiteScope) -> Incident | None:
        """One incident as it stands; ``None`` when there is none in the scope."""
        async with self._connection.cursor(row_factory=class_row(_IncidentRow)) as cursor:
            await cursor.execute(
                QUERIES["select_incident"],
                {"incident_id": incident_id, "scope": scope.as_list()},
            )
            row = await cursor.fetchone()
        return None if row is None else row.as_incident()

    async def reports(
        self, incident_id: UUID, scope: SiteScope, *, limit: int
    ) -> Sequence[IncidentReport]:
        """Tellings of an incident with their pictures, newest first."""
        async with self._connection.cursor(row_factory=class_row(IncidentReport)) as cursor:
            await cursor.execute(
                QUERIES["select_incident_reports"],
                {"incident_id": incident_id, "scope": scope.as_list(), "rows_max": limit},
            )
            told = await cursor.fetchall()
        pictures = await self._pictures([each.id for each in told])
        return [
            replace(
                each,
                phase=IncidentPhase(each.phase),
                pictures=tuple(picture for picture in pictures if picture.report_id == each.id),
            )
            for each in told
        ]

    async def _pictures(self, report_ids: Sequence[UUID]) -> Sequence[IncidentPicture]:
        async with self._connection.cursor(row_factory=class_row(IncidentPicture)) as cursor:
            await cursor.execute(
                QUERIES["select_incident_pictures"], {"report_ids": list(report_ids)}
            )
            return [
                replace(each, fate=None if each.fate is None else EvidenceFate(each.fate))
                for each in await cursor.fetchall()
            ]
