# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is remembered of a vehicle while it is in view; bounded, however long it stays."""

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from edge.pipeline.bearing import STEPS_KEPT, Glimpse, Place, velocity_px_s
from edge.pipeline.geometry import BORDER_MARGIN_PX, area, crop, shrunk, touches_border, travel_px
from edge.stages import Frame, PlateSighting, TrackedObject
from models.runtime.values import BgrImage, BoxPx, PlateReading

if TYPE_CHECKING:
    from edge.pipeline.known import KnownVehicle

SIGHTINGS_KEPT: Final = 24
PLACES_KEPT: Final = 64
"""Last places that can be asked for later; two seconds of a fast camera, which is longer than a
passage is held."""
PATH_POINTS_KEPT: Final = 256
SCENE_SIDE_PX_MAX: Final = 1280
SCENE_PADDING: Final = 0.4
PLATE_PICTURE_PADDING: Final = 0.25
CUT_VIEW_WORTH: Final = 0.3
"""Worth of a view that the border cuts, against a whole one."""
CLEARLY_BETTER: Final = 1.15
"""A new picture must be better by this factor, or copying would never end."""

Fuse = Callable[[Sequence[PlateReading]], PlateReading]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The best picture of a vehicle so far.

    Attributes:
        has_plate: Views with a plate outrank those without.
        worth: Larger is better among views of the same kind.
        scene: What becomes the scene's evidence; a copy.
        plate: The plate's crop, a copy; ``None`` without one.
        whole: The frame itself, kept only where the vehicle is looked for later.
    """

    frame_index: int
    captured_at: datetime
    width_px: int
    height_px: int
    has_plate: bool
    worth: float
    vehicle_box_px: BoxPx | None
    plate_box_px: BoxPx | None
    scene: BgrImage
    plate: BgrImage | None
    whole: BgrImage | None


class TrackRecord:
    """One track from its first to its last frame, or several joined into one vehicle."""

    def __init__(self, frame: Frame, *, is_plate_track: bool) -> None:
        """Begin with a frame.

        Args:
            frame: First frame in which the object was seen.
            is_plate_track: Whether the followed boxes are plates and not vehicles.
        """
        height_px, width_px = frame.image.shape[:2]
        self.camera_id = frame.camera_id
        self.first_at = frame.captured_at
        self.last_at = frame.captured_at
        self.diagonal_px = math.hypot(width_px, height_px)
        self.frames = 0
        self.plate_frames = 0
        self.best_confidence = 0.0
        self.votes: Counter[str] = Counter()
        self.path: list[tuple[float, float]] = []
        self.first_box_px: BoxPx | None = None
        self.last_box_px: BoxPx | None = None
        self.is_cut = False
        self.is_sent = False
        self.shadowed = 0
        self.known_as: KnownVehicle | None = None
        self.challengers: list[PlateSighting] = []
        self.view: View | None = None
        self._is_plate_track = is_plate_track
        self._path_step = 1
        self._places: deque[Place] = deque(maxlen=PLACES_KEPT)
        self._first_glimpse: Glimpse | None = None
        self._last_glimpse: Glimpse | None = None
        self._sightings: list[PlateSighting] = []
        self._fused: tuple[int, PlateReading] | None = None

    def see(self, frame: Frame, item: TrackedObject, sighting: PlateSighting | None) -> None:
        """The object is in this frame, and its plate may have been read."""
        box_px = item.detection.box_px
        height_px, width_px = frame.image.shape[:2]
        self.frames += 1
        self.last_at = max(self.last_at, frame.captured_at)
        self.first_box_px = self.first_box_px or box_px
        self.last_box_px = box_px
        self.is_cut = touches_border(
            box_px, width_px=width_px, height_px=height_px, margin_px=BORDER_MARGIN_PX
        )
        self.best_confidence = max(self.best_confidence, item.detection.confidence)
        self.votes[item.detection.label] += round(100 * item.detection.confidence)
        self._add_to_path(box_px.centre)
        place = Place(seen_at=frame.captured_at, box_px=box_px)
        self._places.append(place)
        if self._is_plate_track:
            self._last_glimpse = Glimpse(place=place, image=frame.image)
            self._first_glimpse = self._first_glimpse or self._last_glimpse
        if sighting is not None:
            self._add_sighting(sighting)
        self._look(frame, item, sighting)

    def join(self, other: "TrackRecord") -> None:
        """Take over what an earlier track of the same vehicle saw."""
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        self.frames += other.frames
        self.best_confidence = max(self.best_confidence, other.best_confidence)
        self.votes.update(other.votes)
        self.path = (other.path + self.path)[:PATH_POINTS_KEPT]
        count = self.plate_frames + other.plate_frames
        own, self._sightings = self._sightings, []
        for sighting in (*other.sightings, *own):
            self._add_sighting(sighting)
        self.plate_frames = count
        if other.view is not None and self._is_better(other.view.has_plate, other.view.worth):
            self.view = other.view

    @property
    def sightings(self) -> tuple[PlateSighting, ...]:
        """The surest sightings of the plate."""
        return tuple(self._sightings)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it was lately, oldest first."""
        return tuple(self._places)

    @property
    def glimpses(self) -> tuple[Glimpse, ...]:
        """A plate's first and its last frame; nothing for a vehicle."""
        both = (self._first_glimpse, self._last_glimpse)
        return tuple(glimpse for glimpse in both if glimpse is not None)

    @property
    def travel_share(self) -> float:
        """Way gone, as a share of the frame's diagonal."""
        return math.hypot(*travel_px(self.path)) / self.diagonal_px

    @property
    def label(self) -> tuple[str, float] | None:
        """The label that most confidence went to, and its share of all; ``None`` before any."""
        total = self.votes.total()
        if total == 0:
            return None
        label, votes = self.votes.most_common(1)[0]
        return label, votes / total

    @property
    def velocity_px_s(self) -> tuple[float, float]:
        """How fast it went lately, right and down; zero before two frames."""
        return velocity_px_s(self.places[-STEPS_KEPT:])

    def expected_centre_px(self, moment: datetime) -> tuple[float, float] | None:
        """Where the object should be now, had it gone on as it last went; ``None`` if unseen."""
        if not self._places:
            return None
        last = self._places[-1]
        (x_px, y_px), (x_speed, y_speed) = last.box_px.centre, self.velocity_px_s
        gone_s = (moment - last.seen_at).total_seconds()
        return x_px + gone_s * x_speed, y_px + gone_s * y_speed

    def reading(self, fuse: Fuse) -> PlateReading | None:
        """Reading agreed over all sightings; ``None`` when the plate was never read."""
        if not self._sightings:
            return None
        if self._fused is None or self._fused[0] != self.plate_frames:
            agreed = fuse([sighting.reading for sighting in self._sightings])
            self._fused = (self.plate_frames, agreed)
        return self._fused[1]

    def _add_to_path(self, point: tuple[float, float]) -> None:
        """Keep the whole way with a bounded number of points."""
        if self.frames % self._path_step == 0:
            self.path.append(point)
        if len(self.path) > PATH_POINTS_KEPT:
            self.path = self.path[::2]
            self._path_step *= 2

    def _add_sighting(self, sighting: PlateSighting) -> None:
        self.plate_frames += 1
        self._sightings.append(sighting)
        if len(self._sightings) > SIGHTINGS_KEPT:
            weakest = min(
                range(len(self._sightings)),
                key=lambda index: self._sightings[index].reading.confidence,
            )
            del self._sightings[weakest]

    def _look(self, frame: Frame, item: TrackedObject, sighting: PlateSighting | None) -> None:
        """Keep this frame as the vehicle's picture when it is clearly the best so far."""
        worth = self._worth(frame, item, sighting)
        if not self._is_better(sighting is not None, worth):
            return
        plate_box_px = None if sighting is None else sighting.plate_box_px
        plate = None
        if plate_box_px is not None:
            plate = crop(frame.image, plate_box_px, padding=PLATE_PICTURE_PADDING)[0].copy()
        height_px, width_px = frame.image.shape[:2]
        self.view = View(
            frame_index=frame.index,
            captured_at=frame.captured_at,
            width_px=width_px,
            height_px=height_px,
            has_plate=sighting is not None,
            worth=worth,
            vehicle_box_px=None if self._is_plate_track else item.detection.box_px,
            plate_box_px=plate_box_px,
            scene=self._scene(frame, item),
            plate=plate,
            whole=frame.image if self._is_plate_track else None,
        )

    def _scene(self, frame: Frame, item: TrackedObject) -> BgrImage:
        if self._is_plate_track:
            return shrunk(frame.image, longest_side_px=SCENE_SIDE_PX_MAX)
        view, _ = crop(frame.image, item.detection.box_px, padding=SCENE_PADDING)
        return shrunk(view, longest_side_px=SCENE_SIDE_PX_MAX)

    def _is_better(self, has_plate: bool, worth: float) -> bool:  # noqa: FBT001 - private, a fact
        if self.view is None:
            return True
        if has_plate != self.view.has_plate:
            return has_plate
        return worth > CLEARLY_BETTER * self.view.worth

    @staticmethod
    def _worth(frame: Frame, item: TrackedObject, sighting: PlateSighting | None) -> float:
        """How well a frame shows the plate or, without one, the vehicle."""
        if sighting is not None:
            legibility = sighting.reading.confidence + 0.01
            return legibility * math.sqrt(math.sqrt(area(sighting.plate_box_px)))
        height_px, width_px = frame.image.shape[:2]
        box_px = item.detection.box_px
        is_cut = touches_border(
            box_px, width_px=width_px, height_px=height_px, margin_px=BORDER_MARGIN_PX
        )
        whole = item.detection.confidence * math.sqrt(area(box_px))
        return whole * CUT_VIEW_WORTH if is_cut else whole
