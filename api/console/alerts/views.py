# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts as templates need them: words and numbers already in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from api.console.pictures import picture_url
from api.console.plates import plate_lines
from api.console.views import PlateView, row_view
from api.pages.i18n import Speech
from central.contracts.passage import EvidenceKind
from central.control.types import (
    Alert,
    AlertRecord,
    AlertState,
    Fact,
    FactName,
    LateSighting,
    SeenAlert,
    Sighting,
)
from central.domain.control_law import Severity
from central.domain.local_time import local_date
from central.passages.types import PassageSummary

SEVERITY_LOOKS: Final[Mapping[Severity, tuple[str, str]]] = MappingProxyType(
    {
        Severity.HIGH: ("bad", "warning"),
        Severity.MEDIUM: ("warn", "unsure"),
        Severity.LOW: ("plain", "unknown"),
    }
)
"""Tone and icon; the word stands beside them."""

DAY_FACTS: Final = frozenset(
    {FactName.BADGE_VALID_UNTIL, FactName.BADGE_REVOKED_ON, FactName.INSPECTED_UNTIL}
)
WORD_FACTS: Final[Mapping[FactName, str]] = MappingProxyType(
    {
        FactName.PLATE_COLOUR: "plate_colours",
        FactName.REGISTERED_COLOUR: "plate_colours",
        FactName.VEHICLE_KIND: "fact_kinds",
        FactName.WATCH_REASON: "watch_reasons",
    }
)
"""Group of labels in which a fact's word stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRowView:
    """An alert as a row.

    Attributes:
        sighted_iso: The newest sighting, for the order on live pages.
    """

    id: str
    url: str
    rule: str
    severity: str
    tone: str
    icon: str
    plate: PlateView
    state: str
    site_name: str
    camera_name: str
    sighted_iso: str
    time: str
    date: str
    sightings: int
    thumb_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRowView:
    """A late passage that fitted rules."""

    url: str
    rules: tuple[str, ...]
    plate: PlateView | None
    site_name: str
    camera_name: str
    time: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactView:
    """A fact with its source and age.

    Attributes:
        group: Group of labels in which the value is a word; ``None`` where it is shown as it is.
        value: ``None`` says that there was none.
    """

    name: str
    group: str | None
    value: str | None
    source: str
    as_of: str
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingView:
    """One sighting in an alert's list."""

    url: str | None
    time_and_date: str
    place: str
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One thing that happened to an alert; ``kind`` names it."""

    kind: str
    time_and_date: str
    who: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetailView:
    """One alert in full."""

    row: AlertRowView
    version: int
    pictures: Mapping[str, str | None]
    passage_url: str | None
    vehicle_url: str | None
    legal_basis: str
    facts: tuple[FactView, ...]
    sightings: tuple[SightingView, ...]
    steps: tuple[StepView, ...]
    closing_reason: str | None
    closing_note: str | None
    dossier_code: str | None
    may_acknowledge: bool
    may_close: bool


def alert_row(seen: SeenAlert, speech: Speech) -> AlertRowView:
    """An alert as a row."""
    alert = seen.alert
    tone, icon = SEVERITY_LOOKS[alert.severity]
    return AlertRowView(
        id=str(alert.id),
        url=f"/console/alerts/{alert.id}",
        rule=alert.rule,
        severity=alert.severity,
        tone=tone,
        icon=icon,
        plate=plate_view(alert, seen.passage),
        state=alert.state,
        site_name=alert.site_name,
        camera_name=alert.camera_name,
        sighted_iso=alert.last_sighted_at.isoformat(),
        time=speech.time(alert.last_sighted_at),
        date=speech.local_date(alert.last_sighted_at),
        sightings=alert.sightings,
        thumb_url=row_view(seen.passage, speech).thumb_url if seen.passage else None,
    )


def late_row(late: LateSighting, speech: Speech) -> LateRowView:
    """A late passage as a row."""
    row = row_view(late.passage, speech) if late.passage is not None else None
    return LateRowView(
        url=f"/console/passages/{late.passage_id}",
        rules=late.rules,
        plate=row.plate if row is not None else None,
        site_name=row.site_name if row is not None else "",
        camera_name=row.camera_name if row is not None else "",
        time=speech.time(late.captured_at),
        date=speech.local_date(late.captured_at),
    )


def alert_detail(
    record: AlertRecord, speech: Speech, *, now: datetime, may_handle: bool
) -> AlertDetailView:
    """One alert in full, for somebody who may or may not act on it."""
    alert, passage = record.seen.alert, record.seen.passage
    return AlertDetailView(
        row=alert_row(record.seen, speech),
        version=alert.version,
        pictures={kind.value: _picture(passage, kind) for kind in EvidenceKind},
        passage_url=f"/console/passages/{passage.id}" if passage is not None else None,
        vehicle_url=f"/console/vehicles/{alert.vehicle_id}" if alert.vehicle_id else None,
        legal_basis=alert.legal_basis,
        facts=tuple(fact_view(fact, speech, now=now) for fact in alert.facts),
        sightings=tuple(_sighting_view(each, speech) for each in record.sightings),
        steps=_steps(alert, speech),
        closing_reason=alert.closing_reason,
        closing_note=alert.closing_note or None,
        dossier_code=alert.dossier_code,
        may_acknowledge=may_handle and alert.state is AlertState.OPEN,
        may_close=may_handle and alert.state is not AlertState.CLOSED,
    )


def fact_view(fact: Fact, speech: Speech, *, now: datetime) -> FactView:
    """A fact with its source and age."""
    value = fact.value
    if value is not None and fact.name in DAY_FACTS:
        value = speech.day(date.fromisoformat(value))
    elif value is not None and fact.name is FactName.READING_CONFIDENCE:
        value = speech.percent(float(value))
    return FactView(
        name=fact.name,
        group=WORD_FACTS.get(fact.name),
        value=value,
        source=fact.source,
        as_of=speech.day(fact.as_of),
        age=speech.ago(fact.age_at(now, today=local_date(now))),
    )


def plate_view(alert: Alert, passage: PassageSummary | None) -> PlateView:
    """The plate of an alert, set as it stands on the vehicle."""
    lines = plate_lines(
        alert.plate_text,
        layout=passage.plate_layout if passage is not None else None,
        vehicle_class=passage.vehicle_class if passage is not None else None,
        colour=alert.plate_colour,
    )
    return PlateView(lines=lines, colour=alert.plate_colour)


def _picture(passage: PassageSummary | None, kind: EvidenceKind) -> str | None:
    """Address of the newest sighting's picture, if it has arrived and still is there."""
    if passage is None:
        return None
    for link in passage.evidence:
        if link.kind is kind and link.is_stored:
            return picture_url(link.sha256)
    return None


def _sighting_view(sighting: Sighting, speech: Speech) -> SightingView:
    """One sighting; the passage may have been erased."""
    passage = sighting.passage
    return SightingView(
        url=f"/console/passages/{passage.id}" if passage is not None else None,
        time_and_date=speech.time_and_date(sighting.captured_at),
        place=f"{passage.site_name} · {passage.camera_name}" if passage is not None else "",
        is_late=sighting.is_late,
    )


def _steps(alert: Alert, speech: Speech) -> tuple[StepView, ...]:
    """What happened to an alert, oldest first."""
    steps = [StepView(kind="opened", time_and_date=speech.time_and_date(alert.opened_at), who=None)]
    if alert.acknowledged_at is not None:
        steps.append(
            StepView(
                kind="acknowledged",
                time_and_date=speech.time_and_date(alert.acknowledged_at),
                who=alert.acknowledged_by,
            )
        )
    if alert.closed_at is not None:
        steps.append(
            StepView(
                kind="closed",
                time_and_date=speech.time_and_date(alert.closed_at),
                who=alert.closed_by,
            )
        )
    return tuple(steps)
