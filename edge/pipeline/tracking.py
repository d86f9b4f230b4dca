# SPDX-License-Identifier: AGPL-3.0-or-later
"""Detected → Tracked: which boxes of successive frames are the same object.

The algorithm is ByteTrack (Zhang et al. 2022) as the ``trackers`` library has it; this is its
adapter. Single pictures have no motion to follow, so there each sighting is a track of its own.
"""

from datetime import datetime
from typing import Final, Protocol

import numpy as np
import supervision
from trackers import BIoU, ByteTrackTracker

from edge.pipeline.rules import TrackingRules
from edge.stages import Detected, Tracked, TrackedObject

NOMINAL_FRAMES_PER_S: Final = 30.0
SHORTEST_STEP_S: Final = 0.001
GAPS_BRIDGED: Final = 3.0
"""Frames that an object may be missing in slow footage, whatever ``lost_s`` says."""
GAP_SMOOTHING: Final = 0.2


class Tracking(Protocol):
    """Follows the objects of one camera."""

    def track(self, detected: Detected) -> Tracked:
        """Number the boxes of one frame and tell which tracks ended with it."""

    def finish(self) -> tuple[int, ...]:
        """End all tracks: no frame follows, or a long gap does."""


class MotionTracking:
    """Follows objects by their motion."""

    def __init__(self, rules: TrackingRules) -> None:
        self._rules = rules
        self._tracker = _make_tracker(rules)
        self._alive: set[int] = set()
        self._offset = 0
        self._highest = -1
        self._first_at: datetime | None = None
        self._last_s = -SHORTEST_STEP_S
        self._gap_s = 1 / NOMINAL_FRAMES_PER_S

    def track(self, detected: Detected) -> Tracked:
        """Number the boxes of one frame; boxes that are no track yet are left out."""
        time_s = self._time_s(detected.frame.captured_at)
        self._tracker.maximum_time_without_update = max(
            self._rules.lost_s, GAPS_BRIDGED * self._gap_s
        )
        result = self._tracker.update(_to_library(detected), timestamp=time_s)
        objects = self._numbered(detected, result)
        alive = {
            self._offset + int(tracklet.tracker_id)
            for tracklet in self._tracker.tracks
            if tracklet.tracker_id >= 0
        }
        ended = tuple(sorted(self._alive - alive))
        self._alive = alive
        return Tracked(frame=detected.frame, objects=objects, ended_track_ids=ended)

    def finish(self) -> tuple[int, ...]:
        """End all tracks; numbers are not given again."""
        ended = tuple(sorted(self._alive))
        self._alive = set()
        self._tracker = _make_tracker(self._rules)
        self._offset = self._highest + 1
        return ended

    def _numbered(
        self, detected: Detected, result: supervision.Detections
    ) -> tuple[TrackedObject, ...]:
        if result.tracker_id is None or len(result) == 0:
            return ()
        numbers = result.data["number"]
        objects = []
        for number, tracker_id in zip(numbers, result.tracker_id, strict=True):
            if tracker_id < 0:
                continue
            track_id = self._offset + int(tracker_id)
            self._highest = max(self._highest, track_id)
            objects.append(
                TrackedObject(track_id=track_id, detection=detected.detections[int(number)])
            )
        return tuple(objects)

    def _time_s(self, captured_at: datetime) -> float:
        """Seconds since the first frame, strictly rising even where the clock is not."""
        if self._first_at is None:
            self._first_at = captured_at
        time_s = (captured_at - self._first_at).total_seconds()
        time_s = max(time_s, self._last_s + SHORTEST_STEP_S)
        gap_s = time_s - self._last_s
        if self._last_s >= 0:
            self._gap_s += GAP_SMOOTHING * (min(gap_s, 1.0) - self._gap_s)
        self._last_s = time_s
        return time_s


class StillTracking:
    """Gives every sighting a track of its own, which ends with the next picture."""

    def __init__(self, rules: TrackingRules) -> None:
        self._rules = rules
        self._next_id = 0
        self._alive: tuple[int, ...] = ()

    def track(self, detected: Detected) -> Tracked:
        """Number the boxes that are sure enough to begin a track."""
        objects = tuple(
            TrackedObject(track_id=self._next_id + offset, detection=detection)
            for offset, detection in enumerate(
                found
                for found in detected.detections
                if found.confidence >= self._rules.start_confidence
            )
        )
        ended, self._alive = self._alive, tuple(item.track_id for item in objects)
        self._next_id += len(objects)
        return Tracked(frame=detected.frame, objects=objects, ended_track_ids=ended)

    def finish(self) -> tuple[int, ...]:
        """End the tracks of the last picture."""
        ended, self._alive = self._alive, ()
        return ended


def _make_tracker(rules: TrackingRules) -> ByteTrackTracker:
    return ByteTrackTracker(
        lost_track_buffer=max(1, round(rules.lost_s * NOMINAL_FRAMES_PER_S)),
        frame_rate=NOMINAL_FRAMES_PER_S,
        track_activation_threshold=rules.start_confidence,
        minimum_consecutive_frames=2,
        minimum_iou_threshold=rules.overlap_min,
        high_conf_det_threshold=rules.sure_confidence,
        iou=BIoU(buffer_ratio=rules.reach),
    )


def _to_library(detected: Detected) -> supervision.Detections:
    boxes = [
        (found.box_px.x_min, found.box_px.y_min, found.box_px.x_max, found.box_px.y_max)
        for found in detected.detections
    ]
    return supervision.Detections(
        xyxy=np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
        confidence=np.asarray(
            [found.confidence for found in detected.detections], dtype=np.float32
        ),
        data={"number": np.arange(len(detected.detections))},
    )
