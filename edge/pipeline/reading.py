# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tracked → Read: reads the plates of tracked plates (gate) or of tracked vehicles (road)."""

from dataclasses import dataclass
from typing import Final, Protocol

from edge.pipeline.geometry import area, contains_centre, crop, shifted
from edge.pipeline.ports import ObjectDetector, TextReader
from edge.pipeline.rules import RoadReadingRules
from edge.stages import Frame, PlateSighting, Read, Tracked, TrackedObject
from models.runtime.reader_input import PLATE_MARGIN
from models.runtime.values import BgrImage, BoxPx, Detection

VEHICLE_PADDING: Final = 0.05
SURE_READINGS: Final = 2


class Reading(Protocol):
    """Reads the plates of one camera."""

    def read(self, tracked: Tracked) -> Read:
        """Plates that could be looked at in this frame."""


class GateReading:
    """Tracks are plates: every one of them is read in every frame."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader

    def read(self, tracked: Tracked) -> Read:
        """Read all plates of the frame at once."""
        found = [(item.track_id, item.detection) for item in tracked.objects]
        return Read(tracked=tracked, sightings=_read_plates(self._reader, tracked.frame, found))


@dataclass(slots=True)
class _Effort:
    """What was spent on one vehicle so far."""

    attempts: int = 0
    frames_since: int = 0
    width_px: float = 0.0
    sure_readings: int = 0


class RoadReading:
    """Tracks are vehicles: plates are looked for on the crops that are worth it."""

    def __init__(
        self, detector: ObjectDetector, reader: TextReader, *, rules: RoadReadingRules
    ) -> None:
        self._detector = detector
        self._reader = reader
        self._rules = rules
        self._efforts: dict[int, _Effort] = {}

    def read(self, tracked: Tracked) -> Read:
        """Look for plates on a few vehicles of the frame and read them."""
        for track_id in tracked.ended_track_ids:
            self._efforts.pop(track_id, None)
        found = []
        for item in self._worth_a_look(tracked):
            plate = self._find_plate(tracked.frame.image, item.detection.box_px)
            effort = self._efforts[item.track_id]
            effort.attempts += 1
            effort.frames_since = 0
            effort.width_px = item.detection.box_px.width
            if plate is not None:
                found.append((item.track_id, plate))
        sightings = _read_plates(self._reader, tracked.frame, found)
        for sighting in sightings:
            if sighting.reading.confidence >= self._rules.sure_confidence:
                self._efforts[sighting.track_id].sure_readings += 1
        return Read(tracked=tracked, sightings=sightings)

    def _worth_a_look(self, tracked: Tracked) -> list[TrackedObject]:
        """Vehicles to look at now: least tried first, then the largest."""
        worthy = []
        for item in tracked.objects:
            effort = self._efforts.setdefault(item.track_id, _Effort())
            effort.frames_since += 1
            if self._is_worthy(effort, item.detection.box_px.width):
                worthy.append(item)
        worthy.sort(
            key=lambda item: (
                self._efforts[item.track_id].attempts,
                -area(item.detection.box_px),
            )
        )
        return worthy[: self._rules.crops_per_frame]

    def _is_worthy(self, effort: _Effort, width_px: float) -> bool:
        rules = self._rules
        if width_px < rules.vehicle_width_px_min or effort.attempts >= rules.attempts_max:
            return False
        if effort.sure_readings >= SURE_READINGS:
            return False
        has_grown = width_px >= effort.width_px * rules.growth
        return has_grown or effort.frames_since >= rules.retry_frames

    def _find_plate(self, image: BgrImage, vehicle_px: BoxPx) -> Detection | None:
        """The surest plate on a vehicle, in pixels of the frame."""
        view, place = crop(image, vehicle_px, padding=VEHICLE_PADDING)
        for found in self._detector.detect(view):
            box_px = shifted(found.box_px, x_px=place.x_min, y_px=place.y_min)
            if contains_centre(vehicle_px, box_px):
                return Detection(label=found.label, confidence=found.confidence, box_px=box_px)
        return None


def _read_plates(
    reader: TextReader, frame: Frame, found: list[tuple[int, Detection]]
) -> tuple[PlateSighting, ...]:
    if not found:
        return ()
    crops = [crop(frame.image, plate.box_px, padding=PLATE_MARGIN)[0] for _, plate in found]
    readings = reader.read(crops)
    return tuple(
        PlateSighting(
            track_id=track_id,
            plate_box_px=plate.box_px,
            detection_confidence=plate.confidence,
            reading=reading,
        )
        for (track_id, plate), reading in zip(found, readings, strict=True)
    )
