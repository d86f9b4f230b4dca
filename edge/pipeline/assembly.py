# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read → Passage: decides what was one vehicle, and when it has passed.

A track that ends is a passage when it was more than flicker. The same vehicle may come back as
another track (a lost box, a truck in between): unsure passages wait a moment for that, and
vehicles that were just sent are known again, so that nobody is counted twice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.pipeline.bearing import bearer_of, is_lettering
from edge.pipeline.geometry import direction_of, distance_px
from edge.pipeline.known import FOLLOW_SIZES, KnownVehicle, has_like_size
from edge.pipeline.ports import EvidenceMaker, ObjectDetector
from edge.pipeline.records import Fuse, TrackRecord
from edge.pipeline.rules import PassageRules
from edge.pipeline.texts import contradicts, is_same_plate
from edge.stages import Frame, Passage, PlateSighting, Read, TrackedObject
from models.runtime.values import BoxPx, PlateReading, VehicleClass, overlap

SHADOW_OVERLAP: Final = 0.5
"""Two boxes of one frame that overlap more are two boxes of one vehicle."""
SHADOW_SHARE: Final = 0.5
EARLY_CHECK_EVERY: Final = 3
GUESS_CONFIDENCE: Final = 0.2
"""A gate's reading below this can't tell one vehicle from another: the place must."""


@dataclass(slots=True)
class AssemblyCounts:
    """What became of tracks: every one that ended is in exactly one of these."""

    passages: int = 0
    rejoined: int = 0
    """Tracks that turned out to be a vehicle seen before, or lettering on one."""
    too_faint: int = 0
    """Tracks that were seen too briefly, too weakly, or did not move."""


class PassageAssembly:
    """Makes one camera's passages."""

    def __init__(
        self,
        rules: PassageRules,
        *,
        fuse: Fuse,
        evidence: EvidenceMaker,
        vehicles: ObjectDetector | None,
    ) -> None:
        """Prepare.

        Args:
            rules: Thresholds.
            fuse: Agrees on one reading over several.
            evidence: Makes the pictures of a passage.
            vehicles: Finds a gate camera's vehicles in single pictures, for their class and to
                tell a plate from lettering; ``None`` where tracks are vehicles already.
        """
        self._rules = rules
        self._fuse = fuse
        self._evidence = evidence
        self._vehicles = vehicles
        self._records: dict[int, TrackRecord] = {}
        self._held: list[TrackRecord] = []
        self._known: list[KnownVehicle] = []
        self.counts = AssemblyCounts()

    def take(self, read: Read) -> list[Passage]:
        """Go on by one frame.

        Returns:
            Passages that are certain now, in the order of their ends.
        """
        frame = read.tracked.frame
        sightings = {sighting.track_id: sighting for sighting in read.sightings}
        passages: list[Passage] = []
        for item in read.tracked.objects:
            sighting = sightings.get(item.track_id)
            passages += self._see(frame, item, sighting)
        self._note_shadows(read.tracked.objects)
        for track_id in read.tracked.ended_track_ids:
            passages += self._end(track_id)
        return passages + self._release(frame.captured_at)

    def finish(self, ended_track_ids: Sequence[int]) -> list[Passage]:
        """No frame follows, or a long gap does: everything is decided now.

        Args:
            ended_track_ids: Tracks that the tracker gave up with this.
        """
        passages: list[Passage] = []
        for track_id in ended_track_ids:
            passages += self._end(track_id)
        while self._held:
            passages += self._judge(self._held.pop(0))
        self._records.clear()
        return passages

    def _see(
        self, frame: Frame, item: TrackedObject, sighting: PlateSighting | None
    ) -> list[Passage]:
        """One object of one frame."""
        record = self._records.get(item.track_id)
        if record is None:
            record = self._begin(frame, item)
        passages: list[Passage] = []
        if sighting is not None and self._is_another_vehicle(record, sighting):
            record.challengers.append(sighting)
            if len(record.challengers) < self._rules.split_sightings:
                return []
            passages += self._end(item.track_id)
            record = TrackRecord(frame, is_plate_track=self._rules.needs_plate)
            self._records[item.track_id] = record
        record.challengers.clear()
        record.see(frame, item, sighting)
        return passages + self._send_early(record)

    def _begin(self, frame: Frame, item: TrackedObject) -> TrackRecord:
        """A new track: a new vehicle, or one that was out of sight for a moment."""
        record = None if self._rules.needs_plate else self._lost_vehicle_at(frame, item)
        if record is None:
            record = TrackRecord(frame, is_plate_track=self._rules.needs_plate)
        else:
            self._held.remove(record)
            self.counts.rejoined += 1
        self._records[item.track_id] = record
        return record

    def _lost_vehicle_at(self, frame: Frame, item: TrackedObject) -> TrackRecord | None:
        """The held vehicle that vanished near the place where this one appears."""
        box_px = item.detection.box_px
        x_px, y_px = box_px.centre
        nearest = None
        nearest_px = FOLLOW_SIZES * max(box_px.width, box_px.height)
        for record in self._held:
            expected_px = record.expected_centre_px(frame.captured_at)
            if expected_px is None or not has_like_size(record.last_box_px, box_px):
                continue
            away_px = math.hypot(x_px - expected_px[0], y_px - expected_px[1])
            if away_px <= nearest_px:
                nearest, nearest_px = record, away_px
        return nearest

    def _is_another_vehicle(self, record: TrackRecord, sighting: PlateSighting) -> bool:
        """Whether a track that is a plate now bears another one."""
        if not self._rules.needs_plate or not record.sightings:
            return False
        is_unsure = sighting.reading.confidence < self._rules.sure_confidence
        if is_unsure or sighting.reading.text == record.sightings[-1].reading.text:
            return False  # Agreeing on all sightings in every frame would cost more than reading.
        so_far = record.reading(self._fuse)
        return so_far is not None and contradicts(
            so_far, sighting.reading, sure_confidence=self._rules.sure_confidence
        )

    def _note_shadows(self, objects: Sequence[TrackedObject]) -> None:
        """Count frames in which a box lay on a surer box: the same vehicle, found twice."""
        for index, first in enumerate(objects):
            for second in objects[index + 1 :]:
                if overlap(first.detection.box_px, second.detection.box_px) < SHADOW_OVERLAP:
                    continue
                fainter = min(first, second, key=lambda item: item.detection.confidence)
                record = self._records.get(fainter.track_id)
                if record is not None:
                    record.shadowed += 1

    def _end(self, track_id: int) -> list[Passage]:
        """A track has ended: send it, hold it, or tell why not."""
        record = self._records.pop(track_id, None)
        if record is None:
            return []
        if record.is_sent:
            self._remember(record)
            return []
        if self._is_known(record):
            self.counts.rejoined += 1
            return []
        self._join_held(record)
        if self._is_doubtful(record):
            self._held.append(record)
            return []
        return self._judge(record)

    def _judge(self, record: TrackRecord) -> list[Passage]:
        """Nothing more will be learnt of this vehicle: it passed, or was too faint to say so."""
        if not self._is_passage(record):
            self.counts.too_faint += 1
            return []
        if self._is_lettering(record):
            self.counts.rejoined += 1
            return []
        return self._send(record)

    def _is_passage(self, record: TrackRecord) -> bool:
        rules = self._rules
        return (
            record.frames >= rules.frames_min
            and self._is_clear(record)
            and record.travel_share >= rules.travel_min
            and record.shadowed <= SHADOW_SHARE * record.frames
            and (not rules.needs_plate or bool(record.sightings))
        )

    def _is_clear(self, record: TrackRecord) -> bool:
        """Whether the detector, or a legal text on a faint plate, says that something was there."""
        rules = self._rules
        if record.best_confidence >= rules.detection_confidence_min:
            return True
        if not rules.needs_plate or record.best_confidence < rules.faint_confidence_min:
            return False
        reading = record.reading(self._fuse)
        return (
            reading is not None
            and reading.is_legal
            and reading.confidence >= rules.faint_reading_min
        )

    def _is_doubtful(self, record: TrackRecord) -> bool:
        """Whether a better track of the same vehicle may follow."""
        if self._rules.hold_s <= 0:
            return False
        if not self._rules.needs_plate:
            return not record.is_cut
        reading = record.reading(self._fuse)
        return reading is None or reading.confidence < self._rules.sure_confidence

    def _join_held(self, record: TrackRecord) -> None:
        """Take over what earlier, unsure tracks of the same vehicle saw."""
        for earlier in list(self._held):
            came_after = record.first_at > earlier.last_at
            if came_after and self._is_same(
                record, reading=earlier.reading(self._fuse), box_px=earlier.last_box_px
            ):
                self._held.remove(earlier)
                record.join(earlier)
                self.counts.rejoined += 1

    def _is_known(self, record: TrackRecord) -> bool:
        """Whether this vehicle was sent a moment ago; if so, it is remembered for longer."""
        for known in self._known:
            # Whoever was in view at the same time is somebody else.
            gap_s = (record.first_at - known.last_at).total_seconds()
            if not 0 < gap_s <= self._rules.reappear_s:
                continue
            if self._goes_on(record, known) or self._is_same(
                record, reading=known.reading, box_px=known.box_px
            ):
                self._remember(record)
                return True
        return False

    def _goes_on(self, record: TrackRecord, known: KnownVehicle) -> bool:
        """Whether a plate too small to be read appears where a sent vehicle was expected."""
        own = record.reading(self._fuse)
        if not self._rules.needs_plate or own is None or _is_read(own):
            return False
        return known.is_expected_at(record.first_box_px, record.first_at)

    def _is_lettering(self, record: TrackRecord) -> bool:
        """Whether a plate that can't be read is a sign on a vehicle that has its own passage."""
        if self._vehicles is None or _is_read(record.reading(self._fuse)):
            return False
        others = (*self._records.values(), *self._held)
        plates = [other.places for other in others if _is_read(other.reading(self._fuse))]
        plates += [known.places for known in self._known if _is_read(known.reading)]
        return is_lettering(record.glimpses, plates, vehicles=self._vehicles)

    def _is_same(
        self, record: TrackRecord, *, reading: PlateReading | None, box_px: BoxPx | None
    ) -> bool:
        own = record.reading(self._fuse)
        if own is None or reading is None or record.last_box_px is None or box_px is None:
            return False
        reach_px = self._rules.reappear_distance * record.diagonal_px
        return distance_px(record.last_box_px, box_px) <= reach_px and is_same_plate(
            own,
            reading,
            distance_max=self._rules.same_text_distance,
            sure_confidence=self._rules.sure_confidence,
        )

    def _remember(self, record: TrackRecord) -> None:
        """A vehicle that was sent is known, as it was last seen and only once."""
        self._known = [known for known in self._known if known is not record.known_as]
        record.known_as = KnownVehicle(
            last_at=record.last_at,
            reading=record.reading(self._fuse),
            box_px=record.last_box_px,
            velocity_px_s=record.velocity_px_s,
            places=record.places,
        )
        self._known.append(record.known_as)

    def _send_early(self, record: TrackRecord) -> list[Passage]:
        """A vehicle that stands at a barrier is sent while it is still there."""
        rules = self._rules
        if (
            rules.early_after_s is None
            or record.is_sent
            or record.plate_frames < rules.early_sightings
            or record.plate_frames % EARLY_CHECK_EVERY
            or (record.last_at - record.first_at).total_seconds() < rules.early_after_s
            or not self._is_passage(record)
            or self._is_doubtful(record)
        ):
            return []
        if self._is_known(record):
            self.counts.rejoined += 1
            record.is_sent = True
            return []
        self._join_held(record)
        return self._send(record)

    def _release(self, now: datetime) -> list[Passage]:
        """Send what was held long enough; forget what was sent long ago."""
        due = [
            record
            for record in self._held
            if (now - record.last_at).total_seconds() >= self._rules.hold_s
        ]
        for record in self._records.values():
            if record.is_sent:
                self._remember(record)
        self._known = [
            known
            for known in self._known
            if (now - known.last_at).total_seconds() <= self._rules.reappear_s
        ]
        passages: list[Passage] = []
        for record in due:
            self._held.remove(record)
            passages += self._judge(record)
        return passages

    def _send(self, record: TrackRecord) -> list[Passage]:
        record.is_sent = True
        self._remember(record)
        self.counts.passages += 1
        return [self._passage(record)]

    def _passage(self, record: TrackRecord) -> Passage:
        view = record.view
        if view is None:
            raise ValueError("a record without a view has seen no frame")
        vehicle_class, vehicle_confidence, vehicle_box_px = self._vehicle(record)
        reading = record.reading(self._fuse)
        if reading is not None and reading.confidence < self._rules.reading_confidence_min:
            reading = None
        return Passage(
            camera_id=record.camera_id,
            captured_at=view.captured_at,
            first_seen_at=record.first_at,
            last_seen_at=record.last_at,
            frame_index=view.frame_index,
            frame_width_px=view.width_px,
            frame_height_px=view.height_px,
            direction=direction_of(record.path, diagonal_px=record.diagonal_px),
            vehicle_class=vehicle_class,
            vehicle_confidence=vehicle_confidence,
            vehicle_box_px=vehicle_box_px,
            plate=reading,
            plate_box_px=view.plate_box_px,
            plate_frames=record.plate_frames,
            evidence=self._evidence(view.scene, view.plate),
        )

    def _vehicle(
        self, record: TrackRecord
    ) -> tuple[VehicleClass | None, float | None, BoxPx | None]:
        """Class, its confidence, and box of the vehicle."""
        view = record.view
        if view is None:
            return None, None, None
        if not self._rules.needs_plate:
            label = record.label
            if label is None:
                return None, None, view.vehicle_box_px
            return VehicleClass(label[0]), label[1], view.vehicle_box_px
        if self._vehicles is None or view.whole is None or view.plate_box_px is None:
            return None, None, None
        own = bearer_of(view.plate_box_px, self._vehicles.detect(view.whole))
        if own is None:
            return None, None, None
        return VehicleClass(own.label), own.confidence, own.box_px


def _is_read(reading: PlateReading | None) -> bool:
    """Whether a gate's reading is more than a guess."""
    return reading is not None and reading.confidence >= GUESS_CONFIDENCE
