# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents as templates need them: words and numbers already in one language."""

from dataclasses import dataclass
from typing import Final

from api.console.incidents.query import LIST_PATH
from api.console.pictures import picture_url
from api.pages.i18n import Speech
from central.incidents.types import (
    Incident,
    IncidentPicture,
    IncidentRecord,
    IncidentReport,
    IncidentState,
)

STATE_LOOKS: Final = {IncidentState.OPEN: ("warn", "warning"), IncidentState.ENDED: ("ok", "sure")}
"""Tone and icon; the word stands beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident as a row.

    Attributes:
        thumb_url: Its oldest picture that came.
        lane: As text; ``None`` when the device told none.
    """

    url: str
    thumb_url: str | None
    kind: str
    state: str
    tone: str
    icon: str
    site_name: str
    camera_name: str
    lane: str | None
    began_iso: str
    began_time: str
    began_date: str
    lasted: str
    told: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureView:
    """A picture of a telling: where it is, or else why it is not here, as a code with words."""

    url: str | None
    fate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """One telling of an incident."""

    phase: str
    captured_iso: str
    captured: str
    stored: str
    is_late: bool
    device_id: str
    confidence: str
    pictures: tuple[PictureView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetailView:
    """An incident with its tellings, the oldest first."""

    row: IncidentView
    reports: tuple[ReportView, ...]
    is_cut: bool


def incident_view(incident: Incident, speech: Speech) -> IncidentView:
    """An incident as a row."""
    tone, icon = STATE_LOOKS[incident.state]
    sha256 = incident.picture_sha256
    return IncidentView(
        url=f"{LIST_PATH}/{incident.id}",
        thumb_url=None if sha256 is None else picture_url(sha256),
        kind=incident.kind,
        state=incident.state,
        tone=tone,
        icon=icon,
        site_name=incident.site_name,
        camera_name=incident.camera_name,
        lane=None if incident.lane is None else speech.number(incident.lane),
        began_iso=incident.began_at.isoformat(),
        began_time=speech.time(incident.began_at),
        began_date=speech.local_date(incident.began_at),
        lasted=speech.duration(incident.lasted),
        told=speech.time_and_date(incident.told_at),
        confidence=speech.percent(incident.confidence),
    )


def detail_view(record: IncidentRecord, speech: Speech) -> IncidentDetailView:
    """An incident with its tellings."""
    return IncidentDetailView(
        row=incident_view(record.incident, speech),
        reports=tuple(_report_view(each, speech) for each in record.reports),
        is_cut=record.is_cut,
    )


def _report_view(report: IncidentReport, speech: Speech) -> ReportView:
    return ReportView(
        phase=report.phase,
        captured_iso=report.captured_at.isoformat(),
        captured=speech.time_and_date(report.captured_at),
        stored=speech.time_and_date(report.stored_at),
        is_late=report.is_late,
        device_id=report.device_id,
        confidence=speech.percent(report.confidence),
        pictures=tuple(_picture_view(each) for each in report.pictures),
    )


def _picture_view(picture: IncidentPicture) -> PictureView:
    return PictureView(
        url=picture_url(picture.sha256) if picture.is_stored else None, fate=picture.fate
    )
