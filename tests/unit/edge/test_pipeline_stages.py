# SPDX-License-Identifier: AGPL-3.0-or-later
"""Detection, tracking and reading, each with what the stage before it gives."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest

from central.contracts.passage import Direction
from edge.pipeline.detection import Detection as DetectionStage
from edge.pipeline.detection import Region
from edge.pipeline.geometry import crop, direction_of, shrunk
from edge.pipeline.reading import RoadReading
from edge.pipeline.rules import PLATE_TRACKING, VEHICLE_TRACKING, RoadReadingRules
from edge.pipeline.texts import edit_distance, is_same_plate
from edge.pipeline.tracking import MotionTracking, StillTracking
from edge.stages import Detected, Frame, Tracked, TrackedObject
from models.runtime.values import BgrImage, BoxPx, Detection, PlateReading
from tests.unit.edge.makers import NOW, box, image, reading


def frame(index: int, *, gap_s: float = 0.1) -> Frame:
    return Frame(
        camera_id="cam-01",
        index=index,
        captured_at=NOW + timedelta(seconds=gap_s * index),
        image=image(),
    )


def detected(index: int, *places: BoxPx, gap_s: float = 0.1, confidence: float = 0.9) -> Detected:
    return Detected(
        frame=frame(index, gap_s=gap_s),
        detections=tuple(
            Detection(label="car", confidence=confidence, box_px=place) for place in places
        ),
    )


class BrightSpots:
    """A detector of real pixels: one box around everything brighter than 200."""

    def __init__(self) -> None:
        self.pictures_seen = 0

    def detect(self, image: BgrImage) -> list[Detection]:
        self.pictures_seen += 1
        rows, columns = np.nonzero(image[:, :, 0] > 200)
        if len(rows) == 0:
            return []
        place = BoxPx(
            x_min=float(columns.min()),
            y_min=float(rows.min()),
            x_max=float(columns.max() + 1),
            y_max=float(rows.max() + 1),
        )
        return [Detection(label="plate", confidence=0.9, box_px=place)]


class SameText:
    """A reader that is as sure as told."""

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence

    def read(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        return [reading("51F12345", self._confidence) for _ in crops]


def with_spot(x: int, y: int) -> Frame:
    picture = image()
    picture[y : y + 8, x : x + 20] = 255
    return Frame(camera_id="cam-01", index=0, captured_at=NOW, image=picture)


def test_boxes_found_in_a_region_are_in_pixels_of_the_whole_frame() -> None:
    stage = DetectionStage(BrightSpots(), region=Region(x_min=0.5, y_min=0.25))

    found = stage.detect(with_spot(200, 100)).detections

    assert [item.box_px for item in found] == [BoxPx(x_min=200, y_min=100, x_max=220, y_max=108)]


def test_what_lies_outside_the_region_is_not_seen() -> None:
    stage = DetectionStage(BrightSpots(), region=Region(x_min=0.5))

    assert stage.detect(with_spot(10, 100)).detections == ()


def test_a_moving_box_keeps_its_number_and_ends_when_it_is_gone() -> None:
    tracking = MotionTracking(VEHICLE_TRACKING)
    numbers = [
        [item.track_id for item in tracking.track(detected(i, box(50 + 5 * i, 80))).objects]
        for i in range(10)
    ]

    ended = [tracking.track(detected(10 + i)).ended_track_ids for i in range(15)]

    seen = {number for frame_numbers in numbers for number in frame_numbers}
    assert len(seen) == 1
    assert all(numbers[1:])
    assert [ids for ids in ended if ids] == [tuple(seen)]


def test_a_plate_that_moves_by_more_than_its_own_width_keeps_its_number() -> None:
    tracking = MotionTracking(PLATE_TRACKING)

    seen = [
        {item.track_id for item in tracking.track(detected(i, box(20 + 60 * i, 80))).objects}
        for i in range(5)
    ]

    assert seen == [set(), {0}, {0}, {0}, {0}]


def test_slow_footage_is_followed_although_frames_are_far_apart() -> None:
    tracking = MotionTracking(VEHICLE_TRACKING)

    seen = {
        item.track_id
        for i in range(8)
        for item in tracking.track(detected(i, box(100 + 4 * i, 80), gap_s=1.0)).objects
    }

    assert len(seen) == 1


def test_a_clock_that_goes_back_does_not_stop_tracking() -> None:
    tracking = MotionTracking(PLATE_TRACKING)
    order = [0, 1, 2, 1, 1, 0, 3]

    objects = [tracking.track(detected(i, box(100, 80))).objects for i in order]

    assert [len(each) for each in objects[1:]] == [1] * 6


def test_numbers_are_not_given_again_after_a_pause() -> None:
    tracking = MotionTracking(PLATE_TRACKING)
    first = {o.track_id for i in range(3) for o in tracking.track(detected(i, box(9, 9))).objects}

    ended = tracking.finish()
    second = {
        o.track_id for i in range(3, 6) for o in tracking.track(detected(i, box(9, 9))).objects
    }

    assert set(ended) == first
    assert not first & second


def test_each_sighting_of_a_single_picture_is_a_track_of_its_own() -> None:
    tracking = StillTracking(PLATE_TRACKING)

    first = tracking.track(detected(0, box(50, 50), box(200, 50)))
    second = tracking.track(detected(1, box(50, 50)))
    faint = tracking.track(detected(2, box(50, 50), confidence=0.1))

    assert [item.track_id for item in first.objects] == [0, 1]
    assert second.ended_track_ids == (0, 1)
    assert [item.track_id for item in second.objects] == [2]
    assert faint.objects == ()


def tracked_vehicles(frame_: Frame, *places: BoxPx) -> Tracked:
    objects = tuple(
        TrackedObject(
            track_id=number, detection=Detection(label="car", confidence=0.9, box_px=place)
        )
        for number, place in enumerate(places)
    )
    return Tracked(frame=frame_, objects=objects, ended_track_ids=())


def test_the_plate_of_a_vehicle_is_read_on_its_crop_in_pixels_of_the_frame() -> None:
    stage = RoadReading(BrightSpots(), SameText(0.9), rules=RoadReadingRules())

    read = stage.read(tracked_vehicles(with_spot(150, 120), box(160, 120, 100)))

    (sighting,) = read.sightings
    assert sighting.plate_box_px == BoxPx(x_min=150, y_min=120, x_max=170, y_max=128)


def test_only_few_vehicles_are_looked_at_in_one_frame_and_small_ones_never() -> None:
    detector = BrightSpots()
    stage = RoadReading(detector, SameText(0.9), rules=RoadReadingRules(crops_per_frame=2))

    stage.read(tracked_vehicles(frame(0), *(box(80 + 40 * i, 120, 70) for i in range(5))))
    looked_at = detector.pictures_seen
    stage.read(tracked_vehicles(frame(1), box(160, 120, 30)))

    assert looked_at == 2
    assert detector.pictures_seen == 2


def test_a_vehicle_whose_plate_is_sure_is_not_read_again() -> None:
    detector = BrightSpots()
    stage = RoadReading(detector, SameText(0.99), rules=RoadReadingRules())

    for _ in range(30):
        stage.read(tracked_vehicles(with_spot(150, 120), box(160, 120, 100)))

    assert detector.pictures_seen == 2


def test_looking_for_a_plate_that_is_not_there_ends() -> None:
    detector = BrightSpots()
    stage = RoadReading(detector, SameText(0.9), rules=RoadReadingRules(attempts_max=3))

    for index in range(60):
        stage.read(tracked_vehicles(frame(index), box(160, 120, 100)))

    assert detector.pictures_seen == 3


@pytest.mark.parametrize(
    ("end", "direction"),
    [
        ((160, 20), Direction.UP),
        ((160, 230), Direction.DOWN),
        ((20, 120), Direction.LEFT),
        ((300, 120), Direction.RIGHT),
        ((163, 121), Direction.UNKNOWN),
    ],
)
def test_direction_is_the_main_way_in_the_picture(
    end: tuple[float, float], direction: Direction
) -> None:
    path = [
        (160 + (end[0] - 160) * step / 9, 120 + (end[1] - 120) * step / 9) for step in range(10)
    ]

    assert direction_of(path, diagonal_px=400) is direction


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0),
        ("A", "", 1),
        ("51F12345", "51F12345", 0),
        ("51F12345", "51F1245", 1),
        ("51F12345", "15F12345", 2),
        ("ABC", "XYZ", 3),
    ],
)
def test_edit_distance_counts_changed_characters(first: str, second: str, distance: int) -> None:
    assert edit_distance(first, second) == distance
    assert edit_distance(second, first) == distance


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        (reading("51F12345", 0.99), reading("51F12346", 0.99), False),  # both sure, they differ
        (reading("51F12345", 0.99), reading("51F12346", 0.40), True),  # one slip of an unsure one
        (reading("51F12345", 0.99), reading("30A98765", 0.10), False),  # nothing alike
        (reading("51F12345", 0.10), reading("51F12345", 0.10), True),  # equal, however unsure
    ],
)
def test_readings_are_of_one_plate_when_they_may_be(
    first: PlateReading, second: PlateReading, *, is_same: bool
) -> None:
    assert is_same_plate(first, second, distance_max=2, sure_confidence=0.9) is is_same


def test_a_crop_at_the_border_is_clipped_and_never_empty() -> None:
    picture = image(width=100, height=80)

    view, place = crop(picture, BoxPx(x_min=95, y_min=75, x_max=150, y_max=150), padding=0.1)
    edge, _ = crop(picture, BoxPx(x_min=100, y_min=80, x_max=100, y_max=80), padding=0.0)

    assert view.shape[:2] == (80 - int(place.y_min), 100 - int(place.x_min))
    assert edge.shape == (1, 1, 3)


def test_pictures_are_made_smaller_and_never_larger() -> None:
    assert shrunk(image(width=2000, height=1000), longest_side_px=500).shape == (250, 500, 3)
    assert shrunk(image(width=100, height=50), longest_side_px=500).shape == (50, 100, 3)
