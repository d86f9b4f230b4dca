# SPDX-License-Identifier: AGPL-3.0-or-later
"""Thresholds of the pipeline, one set per way of looking at vehicles."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingRules:
    """How boxes of successive frames become tracks.

    Attributes:
        lost_s: Time for which a vanished object may come back as the same track. Higher bridges
            longer gaps, ends tracks later and mixes up vehicles that follow closely.
        start_confidence: Confidence that begins a track. Higher misses faint objects.
        sure_confidence: Boxes above it are matched first, those below only continue tracks.
        overlap_min: Share of overlap that makes two boxes the same object. Higher loses fast
            objects, lower joins neighbours.
        reach: Boxes are matched as if they were larger on every side by this share of themselves.
            Higher follows small, fast things between frames far apart and mixes up neighbours.
    """

    lost_s: float
    start_confidence: float
    sure_confidence: float
    overlap_min: float = 0.1
    reach: float = 0.0


PLATE_TRACKING: Final = TrackingRules(
    lost_s=0.6, start_confidence=0.3, sure_confidence=0.3, overlap_min=0.05, reach=1.0
)
VEHICLE_TRACKING: Final = TrackingRules(lost_s=1.0, start_confidence=0.3, sure_confidence=0.3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadReadingRules:
    """How much work plates on a road are worth.

    Attributes:
        vehicle_width_px_min: Narrower vehicles have no legible plate. Higher saves work, lower
            reads from farther away.
        crops_per_frame: Most vehicles whose plate is looked for in one frame.
        growth: A vehicle is looked at again when it is wider by this factor.
        retry_frames: Or after so many frames, while its plate is not sure.
        sure_confidence: Agreed confidence from which a plate needs no more looking.
        attempts_max: Most attempts per vehicle.
    """

    vehicle_width_px_min: float = 60.0
    crops_per_frame: int = 2
    growth: float = 1.1
    retry_frames: int = 4
    sure_confidence: float = 0.97
    attempts_max: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageRules:
    """When a track is a passage, and when two tracks are one vehicle.

    Attributes:
        frames_min: Frames in which the object must have been seen. Higher drops flicker and
            vehicles that are in view for a moment only.
        travel_min: Way that it must have gone, as a share of the frame's diagonal; 0 accepts
            standing vehicles.
        detection_confidence_min: Best detection that a track needs.
        faint_confidence_min: Best detection that is enough when a legal plate was read on it:
            nothing else in the picture reads like one. Higher misses plates in rain and at dusk.
        faint_reading_min: Confidence that such a reading needs.
        needs_plate: Whether tracks are plates and not vehicles.
        same_text_distance: Characters by which two unsure readings of one plate may differ.
        sure_confidence: A reading at least this sure is not doubted: it is sent at once, and two
            sure readings that differ are two vehicles.
        hold_s: Time for which an unsure passage waits for a better track of the same vehicle.
        reappear_s: Time for which a vehicle that was sent already is known again.
        reappear_distance: How far it may have moved meanwhile, as a share of the diagonal.
        early_after_s: A sure passage is sent this long after its vehicle appeared, even when the
            vehicle still stands there; ``None`` waits for the end of the track.
        early_sightings: Readings that it needs for that.
        split_sightings: Sure readings of another plate in a row that begin a new vehicle.
        reading_confidence_min: Least sure agreed reading that is said. Higher leaves more
            passages without a text, lower says what is a guess or no plate at all.
    """

    frames_min: int
    travel_min: float
    detection_confidence_min: float
    needs_plate: bool
    faint_confidence_min: float = 0.25
    faint_reading_min: float = 0.5
    same_text_distance: int = 2
    sure_confidence: float = 0.9
    hold_s: float = 1.5
    reappear_s: float = 4.0
    reappear_distance: float = 0.35
    early_after_s: float | None = None
    early_sightings: int = 4
    split_sightings: int = 2
    reading_confidence_min: float = 0.0

    def __post_init__(self) -> None:
        if self.frames_min < 1:
            raise ValueError("a passage needs at least one frame")


LEGIBLE_MIN: Final = 0.05
"""On a road most plates are too far away, and what looks like one often is none."""

GATE_PASSAGES: Final = PassageRules(
    frames_min=3,
    travel_min=0.0,
    detection_confidence_min=0.5,
    needs_plate=True,
    early_after_s=1.0,
)
"""A toll lane or barrier seen by a camera: vehicles come one by one and may stand for long."""

STILL_GATE_PASSAGES: Final = PassageRules(
    frames_min=1,
    travel_min=0.0,
    detection_confidence_min=0.4,
    needs_plate=True,
    same_text_distance=1,
    hold_s=0.0,
    reappear_s=0.0,
    reappear_distance=1.0,
)
"""Single pictures of a gate: each was taken because a vehicle came, so each is a passage."""

ROAD_PASSAGES: Final = PassageRules(
    frames_min=5,
    travel_min=0.12,
    detection_confidence_min=0.4,
    needs_plate=False,
    hold_s=2.0,
    reappear_s=1.0,
    reappear_distance=0.15,
    reading_confidence_min=LEGIBLE_MIN,
)
"""A road: only what moves passes, with or without a legible plate."""

STILL_ROAD_PASSAGES: Final = PassageRules(
    frames_min=1,
    travel_min=0.0,
    detection_confidence_min=0.5,
    needs_plate=False,
    hold_s=0.0,
    reappear_s=0.0,
    reading_confidence_min=LEGIBLE_MIN,
)
"""Single pictures of a road: every vehicle in every picture counts."""
