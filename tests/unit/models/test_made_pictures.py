# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures that training makes of others: plates pasted on, traffic made denser and darker."""

import cv2
import numpy as np
import pytest

from models.datasets.pasted import (
    MIN_PLATE_SIDE_PX,
    Ground,
    pasted_picture,
    smeared,
)
from models.datasets.traffic import (
    CAR,
    MAX_PASTED,
    MOTORCYCLE,
    Cutout,
    RoadVehicle,
    cut_out,
    traffic_picture,
)
from models.runtime.values import BgrImage, BoxPx

WIDTH_PX = 640
HEIGHT_PX = 400
PLATE = BoxPx(x_min=280, y_min=220, x_max=360, y_max=270)
CARS = (
    BoxPx(x_min=60, y_min=120, x_max=220, y_max=260),
    BoxPx(x_min=400, y_min=140, x_max=560, y_max=280),
)


@pytest.fixture(name="road")
def plain_road() -> BgrImage:
    rng = np.random.default_rng(4)
    field = rng.integers(80, 150, (10, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(field, (WIDTH_PX, HEIGHT_PX)), dtype=np.uint8)


@pytest.fixture(name="cutout")
def red_rider() -> Cutout:
    return Cutout(
        image=np.full((60, 30, 3), (20, 20, 220), np.uint8),
        cover=np.ones((60, 30), np.float32),
        class_id=MOTORCYCLE,
    )


def cars() -> list[RoadVehicle]:
    return [RoadVehicle(class_id=CAR, box_px=box) for box in CARS]


def test_pasted_plates_lie_inside_and_are_large_enough_to_learn_from(road: BgrImage) -> None:
    ground = Ground(image=road, plates=(PLATE,), vehicles=CARS, doubtful=())
    before = road.copy()

    made = [pasted_picture(ground, rng=np.random.default_rng(seed)) for seed in range(30)]

    boxes = [(one.image, box) for one in made for box in one.boxes_px]
    assert len(boxes) > len(made)  # several in one picture
    for image, box in boxes:
        height, width = image.shape[:2]
        assert 0 <= box.x_min < box.x_max <= width
        assert 0 <= box.y_min < box.y_max <= height
        assert min(box.width, box.height) >= MIN_PLATE_SIDE_PX
    assert np.array_equal(road, before)


def test_the_same_seed_pastes_the_same_picture(road: BgrImage) -> None:
    ground = Ground(image=road, plates=(PLATE,), vehicles=CARS, doubtful=())

    first, second = (pasted_picture(ground, rng=np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(first.image, second.image)
    assert first.boxes_px == second.boxes_px


def test_what_nobody_is_sure_of_is_smeared_away_and_nothing_else(road: BgrImage) -> None:
    written = road.copy()
    cv2.putText(written, "29A", (285, 260), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    outside = np.ones(road.shape[:2], bool)
    outside[210:280, 270:370] = False

    result = smeared(written, (PLATE,))

    assert result[220:270, 280:360].max() < 200  # the white letters are gone
    assert np.array_equal(result[outside], written[outside])


def test_a_box_outside_of_the_picture_smears_nothing(road: BgrImage) -> None:
    beyond = BoxPx(x_min=700, y_min=500, x_max=760, y_max=540)

    assert np.array_equal(smeared(road, (beyond,)), road)


def test_riders_are_set_beside_vehicles_as_large_as_those(road: BgrImage, cutout: Cutout) -> None:
    ratios = []
    for seed in range(12):
        made = traffic_picture(road, cars(), cutouts=[cutout], rng=np.random.default_rng(seed))
        heights = [one.box_px.height for one in made.vehicles if one.class_id == CAR]
        riders = [one for one in made.vehicles if one.class_id == MOTORCYCLE]
        assert len(riders) <= MAX_PASTED
        ratios += [one.box_px.height / max(heights) for one in riders if heights]

    assert ratios
    assert 0.6 < float(np.median(ratios)) < 1.6


def test_a_road_without_vehicles_gets_no_riders(road: BgrImage, cutout: Cutout) -> None:
    made = traffic_picture(road, [], cutouts=[cutout], rng=np.random.default_rng(1))

    assert made.vehicles == ()


def test_a_vehicle_is_cut_out_along_its_edge(road: BgrImage) -> None:
    shown = road.copy()
    cv2.ellipse(shown, (300, 200), (30, 60), 0, 0, 360, (10, 10, 250), -1)
    vehicle = RoadVehicle(
        class_id=MOTORCYCLE, box_px=BoxPx(x_min=268, y_min=138, x_max=332, y_max=262)
    )

    cut = cut_out(shown, vehicle)

    middle, corner = cut.cover.shape[0] // 2, cut.cover[:8, :8]
    assert cut.cover[middle, cut.cover.shape[1] // 2] > 0.9
    assert float(corner.mean()) < 0.2
    assert cut.image.shape[:2] == cut.cover.shape
