# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents, as programs read them."""

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.deps.incident_places import incident_place
from api.v1.schemas import StrictBody
from central.contracts.evidence_notice import EvidenceFate
from central.contracts.identifiers import Sha256
from central.contracts.incident import IncidentKind, IncidentPhase
from central.incidents.types import (
    Incident,
    IncidentPage,
    IncidentPicture,
    IncidentRecord,
    IncidentReport,
    IncidentState,
)


class IncidentBody(StrictBody):
    """How an incident stands, by its newest telling."""

    id: UUID
    kind: IncidentKind
    state: IncidentState
    phase: IncidentPhase
    began_at: AwareDatetime
    told_at: AwareDatetime = Field(description="Of which moment the newest telling tells.")
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    lane: int | None
    confidence: float

    @classmethod
    def of(cls, incident: Incident) -> Self:
        """Describe an incident."""
        return cls(
            id=incident.id,
            kind=incident.kind,
            state=incident.state,
            phase=incident.phase,
            began_at=incident.began_at,
            told_at=incident.told_at,
            site_id=incident.site_id,
            site_name=incident.site_name,
            camera_id=incident.camera_id,
            camera_name=incident.camera_name,
            lane=incident.lane,
            confidence=incident.confidence,
        )


class IncidentPageBody(StrictBody):
    """One page of incidents, open ones first, then the newest."""

    incidents: tuple[IncidentBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: IncidentPage) -> Self:
        """Describe a page."""
        return cls(
            incidents=tuple(IncidentBody.of(each) for each in page.incidents),
            next_cursor=None if page.next is None else incident_place(page.next),
        )


class IncidentPictureBody(StrictBody):
    """A picture that a telling names."""

    sha256: Sha256
    url: str | None = Field(description="Where it is; null while it has not arrived or is erased.")
    fate: EvidenceFate | None = Field(
        description="Why it will not come; null when its device has not given it up."
    )

    @classmethod
    def of(cls, picture: IncidentPicture) -> Self:
        """Describe a picture."""
        url = f"/v1/evidence/{picture.sha256}" if picture.is_stored else None
        return cls(sha256=picture.sha256, url=url, fate=picture.fate)


class IncidentReportBody(StrictBody):
    """One telling of an incident."""

    id: UUID
    phase: IncidentPhase
    captured_at: AwareDatetime
    stored_at: AwareDatetime
    is_late: bool
    device_id: str
    confidence: float
    pictures: tuple[IncidentPictureBody, ...]

    @classmethod
    def of(cls, report: IncidentReport) -> Self:
        """Describe a telling."""
        return cls(
            id=report.id,
            phase=report.phase,
            captured_at=report.captured_at,
            stored_at=report.stored_at,
            is_late=report.is_late,
            device_id=report.device_id,
            confidence=report.confidence,
            pictures=tuple(IncidentPictureBody.of(each) for each in report.pictures),
        )


class IncidentRecordBody(StrictBody):
    """An incident with its tellings, the oldest first."""

    incident: IncidentBody
    reports: tuple[IncidentReportBody, ...]
    is_cut: bool = Field(description="Whether there are older tellings that are not here.")

    @classmethod
    def of(cls, record: IncidentRecord) -> Self:
        """Describe an incident."""
        return cls(
            incident=IncidentBody.of(record.incident),
            reports=tuple(IncidentReportBody.of(each) for each in record.reports),
            is_cut=record.is_cut,
        )
