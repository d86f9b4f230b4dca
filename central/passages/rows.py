# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passages as the database returns them, and how they become values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceFate
from central.contracts.passage import (
    Direction,
    EvidenceKind,
    PlateColour,
    PlateLayout,
    VehicleClass,
)
from central.passages.types import (
    BoxPx,
    EvidenceLink,
    ModelDigest,
    Passage,
    PassageSummary,
    PlateAlternative,
    PlateReading,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """Columns of a passage in a table."""

    id: UUID
    captured_at: datetime
    stored_at: datetime
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    lane: int | None
    direction: str
    vehicle_class: str | None
    vehicle_confidence: float | None
    plate_text: str
    plate_raw_text: str | None
    plate_confidence: float | None
    plate_is_legal: bool | None
    plate_layout: str | None
    plate_colour: str | None
    speed_kmh: float | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageRow(SummaryRow):
    """Every column of a passage."""

    device_id: str
    outbox_id: UUID
    boot_id: UUID
    seq: int
    first_seen_at: datetime
    last_seen_at: datetime
    clock_source: str
    clock_error_ms: int
    frame_index: int
    frame_width_px: int
    frame_height_px: int
    vehicle_box_px: Sequence[float] | None
    plate_char_confidences: Sequence[float] | None
    plate_alternatives: Sequence[Mapping[str, object]] | None
    plate_frames_read: int | None
    plate_box_px: Sequence[float] | None
    speed_uncertainty_kmh: float | None
    models: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """A picture that a passage names."""

    passage_id: UUID
    kind: str
    sha256: str
    is_stored: bool
    fate: str | None

    def link(self) -> EvidenceLink:
        """The value."""
        return EvidenceLink(
            kind=EvidenceKind(self.kind),
            sha256=self.sha256,
            is_stored=self.is_stored,
            fate=None if self.fate is None else EvidenceFate(self.fate),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeRow:
    """A plate that may be meant by a pattern, with its newest passage."""

    plate_text: str
    passages: int
    first_at: datetime
    last_at: datetime
    last_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionRow:
    """A plate that was seen together with another.

    Attributes:
        sites: Different sites at which they met.
        meetings: Passages of the other near which it passed.
        days: Different days of these, in Vietnam.
    """

    plate_text: str
    sites: int
    meetings: int
    days: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateRow:
    """A passage whose plate may resemble another's."""

    captured_at: datetime
    id: UUID
    plate_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """What one commit stored."""

    position: int
    captured_ats: Sequence[datetime]
    passage_ids: Sequence[UUID]


def summary(row: SummaryRow, evidence: Sequence[EvidenceRow]) -> PassageSummary:
    """The value of a row, with its pictures."""
    return PassageSummary(
        id=row.id,
        captured_at=row.captured_at,
        stored_at=row.stored_at,
        site_id=row.site_id,
        site_name=row.site_name,
        camera_id=row.camera_id,
        camera_name=row.camera_name,
        lane=row.lane,
        direction=Direction(row.direction),
        vehicle_class=VehicleClass(row.vehicle_class) if row.vehicle_class else None,
        vehicle_confidence=row.vehicle_confidence,
        plate_text=row.plate_text,
        plate_raw_text=row.plate_raw_text,
        plate_confidence=row.plate_confidence,
        plate_is_legal=row.plate_is_legal,
        plate_layout=PlateLayout(row.plate_layout) if row.plate_layout else None,
        plate_colour=PlateColour(row.plate_colour) if row.plate_colour else None,
        speed_kmh=row.speed_kmh,
        is_late=row.is_late,
        evidence=tuple(each.link() for each in evidence),
    )


def passage(row: PassageRow, evidence: Sequence[EvidenceRow]) -> Passage:
    """The value of a whole row, with its pictures."""
    return Passage(
        summary=summary(row, evidence),
        device_id=row.device_id,
        outbox_id=row.outbox_id,
        boot_id=row.boot_id,
        seq=row.seq,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        clock_source=ClockSource(row.clock_source),
        clock_error_ms=row.clock_error_ms,
        frame_index=row.frame_index,
        frame_width_px=row.frame_width_px,
        frame_height_px=row.frame_height_px,
        vehicle_box_px=_box(row.vehicle_box_px) if row.vehicle_box_px else None,
        plate=_plate(row),
        speed_uncertainty_kmh=row.speed_uncertainty_kmh,
        models=tuple(ModelDigest(name=each["name"], sha256=each["sha256"]) for each in row.models),
    )


def _plate(row: PassageRow) -> PlateReading | None:
    """The reading in a row; the database keeps all of its columns filled, or none."""
    if (
        row.plate_raw_text is None
        or row.plate_confidence is None
        or row.plate_char_confidences is None
        or row.plate_alternatives is None
        or row.plate_frames_read is None
        or row.plate_box_px is None
        or row.plate_layout is None
        or row.plate_colour is None
    ):
        return None
    return PlateReading(
        text=row.plate_text,
        raw_text=row.plate_raw_text,
        confidence=row.plate_confidence,
        char_confidences=tuple(row.plate_char_confidences),
        is_legal=bool(row.plate_is_legal),
        alternatives=tuple(
            PlateAlternative(text=str(each["text"]), confidence=float(str(each["confidence"])))
            for each in row.plate_alternatives
        ),
        layout=PlateLayout(row.plate_layout),
        colour=PlateColour(row.plate_colour),
        frames_read=row.plate_frames_read,
        box_px=_box(row.plate_box_px),
    )


def _box(corners: Sequence[float]) -> BoxPx:
    """A box from its column."""
    x_min, y_min, x_max, y_max = corners
    return BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
