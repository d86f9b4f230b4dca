# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passages and devices as templates need them: words and numbers already in one language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.pictures import picture_url
from api.console.plates import plate_lines
from api.pages.i18n import Speech
from central.contracts.passage import EvidenceKind, PlateColour
from central.passages.types import (
    EvidenceLink,
    Passage,
    PassageCount,
    PassageSummary,
    PlateReading,
)
from central.sites.types import Camera, Site

SURE_FROM: Final = 0.95
"""Readings from here on are called sure. Higher: more readings ask to be looked at."""

CHECK_FROM: Final = 0.8
"""Readings below are called not sure. Higher: more readings are called so."""

WEAK_CHARACTER_BELOW: Final = 0.9
"""Characters below are marked. Higher: more marks."""

NOT_TAKEN: Final = "not_taken"
EXPECTED: Final = "expected"
"""What became of a picture besides the fates that a device tells of."""

UNKNOWN_VEHICLE: Final = "vehicle"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateView:
    """A plate as it is drawn."""

    lines: tuple[str, ...]
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfidenceView:
    """How sure a reading is: a level that is also the icon's name, a tone, and the figure."""

    level: str
    tone: str
    percent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A passage as a row."""

    id: str
    url: str
    captured_iso: str
    time: str
    date: str
    time_and_date: str
    lag: str
    plate: PlateView | None
    confidence: ConfidenceView | None
    is_legal: bool | None
    is_late: bool
    is_corrected: bool
    vehicle_class: str
    direction: str
    site_name: str
    camera_name: str
    lane: int | None
    thumb_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacterView:
    """One character of a reading."""

    text: str
    percent: str
    percent_value: int
    is_weak: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeView:
    """Another reading."""

    text: str
    percent: str
    percent_value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingView:
    """A plate's reading in full."""

    text: str
    raw_text: str
    is_corrected: bool
    colour: str
    layout: str
    frames_read: int
    characters: tuple[CharacterView, ...]
    alternatives: tuple[AlternativeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofView:
    """A hash with the name of what it proves."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailView:
    """One passage in full.

    Attributes:
        pictures: Address by kind; ``None`` for one that is not here.
        fates: What became of a picture that is not here, by kind, as a code with words.
    """

    row: RowView
    reading: ReadingView | None
    pictures: Mapping[str, str | None]
    fates: Mapping[str, str]
    exact_time: str
    clock_source: str
    clock_error_ms: str
    vehicle_percent: str | None
    speed: str | None
    stored_at: str
    device_id: str
    seq: int
    evidence: tuple[ProofView, ...]
    models: tuple[ProofView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """A site with its cameras, for choosing."""

    id: str
    name: str
    cameras: tuple[tuple[str, str], ...]
    """Value and name of each camera."""


def row_view(summary: PassageSummary, speech: Speech) -> RowView:
    """A passage as a row."""
    thumb = _stored(summary.evidence, EvidenceKind.SCENE) or _stored(
        summary.evidence, EvidenceKind.PLATE
    )
    return RowView(
        id=str(summary.id),
        url=f"/console/passages/{summary.id}",
        captured_iso=summary.captured_at.isoformat(),
        time=speech.time(summary.captured_at),
        date=speech.local_date(summary.captured_at),
        time_and_date=speech.time_and_date(summary.captured_at),
        lag=speech.duration(summary.stored_at - summary.captured_at),
        plate=_plate_view(summary),
        confidence=(
            confidence_view(summary.plate_confidence, speech)
            if summary.plate_confidence is not None and summary.plate_text
            else None
        ),
        is_legal=summary.plate_is_legal if summary.plate_text else None,
        is_late=summary.is_late,
        is_corrected=summary.plate_raw_text not in {None, summary.plate_text},
        vehicle_class=summary.vehicle_class or UNKNOWN_VEHICLE,
        direction=summary.direction,
        site_name=summary.site_name,
        camera_name=summary.camera_name,
        lane=summary.lane,
        thumb_url=thumb,
    )


def confidence_view(confidence: float, speech: Speech) -> ConfidenceView:
    """How sure a reading is, in words."""
    percent = speech.percent(confidence)
    if confidence >= SURE_FROM:
        return ConfidenceView(level="sure", tone="ok", percent=percent)
    if confidence >= CHECK_FROM:
        return ConfidenceView(level="check", tone="warn", percent=percent)
    return ConfidenceView(level="unsure", tone="bad", percent=percent)


def detail_view(passage: Passage, speech: Speech) -> DetailView:
    """One passage in full."""
    summary = passage.summary
    return DetailView(
        row=row_view(summary, speech),
        reading=_reading_view(passage.plate, speech) if passage.plate is not None else None,
        pictures={kind.value: _stored(summary.evidence, kind) for kind in EvidenceKind},
        fates={kind.value: _fate(summary.evidence, kind) for kind in EvidenceKind},
        exact_time=speech.exact_time(summary.captured_at),
        clock_source=passage.clock_source,
        clock_error_ms=speech.number(passage.clock_error_ms),
        vehicle_percent=(
            speech.percent(summary.vehicle_confidence)
            if summary.vehicle_confidence is not None
            else None
        ),
        speed=_speed(passage, speech),
        stored_at=speech.time_and_date(summary.stored_at),
        device_id=passage.device_id,
        seq=passage.seq,
        evidence=tuple(
            ProofView(name=link.kind.value, sha256=link.sha256) for link in summary.evidence
        ),
        models=tuple(ProofView(name=model.name, sha256=model.sha256) for model in passage.models),
    )


def count_text(count: PassageCount, speech: Speech) -> str:
    """A count, with a plus where counting stopped."""
    return speech.number(count.count) + ("+" if count.is_at_least else "")


def place_views(sites: Iterable[Site], cameras: Sequence[Camera]) -> tuple[PlaceView, ...]:
    """Sites with their cameras, in the order given."""
    return tuple(
        PlaceView(
            id=site.id,
            name=site.name,
            cameras=tuple(
                (f"{camera.site_id}/{camera.id}", camera.name)
                for camera in cameras
                if camera.site_id == site.id
            ),
        )
        for site in sites
    )


def _stored(evidence: Iterable[EvidenceLink], kind: EvidenceKind) -> str | None:
    """Address of the first picture of a kind that has arrived."""
    for link in evidence:
        if link.kind is kind and link.is_stored:
            return picture_url(link.sha256)
    return None


def _fate(evidence: Iterable[EvidenceLink], kind: EvidenceKind) -> str:
    """What became of the pictures of a kind that are not here."""
    missing = [link.fate for link in evidence if link.kind is kind and not link.is_stored]
    if not missing:
        return NOT_TAKEN
    return next((fate.value for fate in missing if fate is not None), EXPECTED)


def _plate_view(summary: PassageSummary) -> PlateView | None:
    """The plate of a row, if one was read."""
    lines = plate_lines(
        summary.plate_text, layout=summary.plate_layout, vehicle_class=summary.vehicle_class
    )
    if not lines:
        return None
    return PlateView(lines=lines, colour=summary.plate_colour or PlateColour.UNKNOWN)


def _reading_view(plate: PlateReading, speech: Speech) -> ReadingView:
    """A plate's reading in full."""
    return ReadingView(
        text=plate.text,
        raw_text=plate.raw_text,
        is_corrected=plate.raw_text != plate.text,
        colour=plate.colour,
        layout=plate.layout,
        frames_read=plate.frames_read,
        characters=tuple(
            CharacterView(
                text=character,
                percent=speech.percent(confidence),
                percent_value=int(confidence * 100),
                is_weak=confidence < WEAK_CHARACTER_BELOW,
            )
            for character, confidence in zip(plate.text, plate.char_confidences, strict=True)
        ),
        alternatives=tuple(
            AlternativeView(
                text=other.text,
                percent=speech.percent(other.confidence),
                percent_value=int(other.confidence * 100),
            )
            for other in plate.alternatives
        ),
    )


def _speed(passage: Passage, speech: Speech) -> str | None:
    """Speed with its uncertainty, if it was measured."""
    speed, uncertainty = passage.summary.speed_kmh, passage.speed_uncertainty_kmh
    if speed is None or uncertainty is None:
        return None
    return f"{speech.number(round(speed, 1))} ± {speech.number(round(uncertainty, 1))} km/h"
