# SPDX-License-Identifier: AGPL-3.0-or-later
"""An empty lane is not looked at again and again; whatever changes in it is."""

from datetime import timedelta

import numpy as np

from edge.pipeline.quiet import QuietSceneDetection
from edge.stages import Detected, Frame
from models.runtime.values import BgrImage, Detection
from tests.unit.edge.makers import NOW, box, image


class Looks:
    """Counts how often it was asked, and finds a plate in bright pictures."""

    def __init__(self) -> None:
        self.count = 0

    def detect(self, frame: Frame) -> Detected:
        self.count += 1
        is_bright = frame.image.max() > 200
        found = (Detection(label="plate", confidence=0.9, box_px=box(100, 100)),)
        return Detected(frame=frame, detections=found if is_bright else ())


def frame(index: int, picture: BgrImage) -> Frame:
    return Frame(
        camera_id="cam-01",
        index=index,
        captured_at=NOW + timedelta(seconds=0.1 * index),
        image=picture,
    )


def with_vehicle(shade: int) -> BgrImage:
    picture = image(90)
    picture[100:130, 100:160] = shade
    return picture


def test_an_empty_picture_is_looked_at_twice_a_second() -> None:
    looks = Looks()
    quiet = QuietSceneDetection(looks)

    for index in range(20):
        assert quiet.detect(frame(index, image(90))).detections == ()

    assert looks.count == 4
    assert quiet.passed_over == 16


def test_a_vehicle_that_comes_is_seen_in_its_first_frame() -> None:
    looks = Looks()
    quiet = QuietSceneDetection(looks)
    quiet.detect(frame(0, image(90)))

    seen = quiet.detect(frame(1, with_vehicle(250))).detections

    assert len(seen) == 1
    assert looks.count == 2


def test_while_something_is_there_every_frame_is_looked_at() -> None:
    looks = Looks()
    quiet = QuietSceneDetection(looks)

    for index in range(10):
        quiet.detect(frame(index, with_vehicle(250)))

    assert looks.count == 10


def test_a_change_that_creeps_in_is_noticed() -> None:
    looks = Looks()
    quiet = QuietSceneDetection(looks)

    # One level a frame is far below the threshold; against the last look it adds up.
    for index in range(5):
        quiet.detect(frame(index, image(90)))
    before = looks.count
    for index in range(5, 50):
        picture = frame(5, with_vehicle(90 + index - 5))
        quiet.detect(picture)

    assert looks.count > before


def test_grain_of_a_night_camera_is_looked_at_and_never_taken_for_an_empty_lane() -> None:
    rng = np.random.default_rng(5)
    looks = Looks()
    quiet = QuietSceneDetection(looks)

    for index in range(4):
        grain = rng.normal(60, 45, size=(240, 320, 3)).clip(0, 199).astype(np.uint8)
        quiet.detect(frame(index, grain))

    assert looks.count == 4
