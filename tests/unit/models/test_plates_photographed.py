# SPDX-License-Identifier: AGPL-3.0-or-later
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.datasets.synth.camera import (
    NO_DEGRADATION,
    Photograph,
    Severity,
    photographed,
    random_severity,
)
from models.datasets.synth.photo.viewpoint import projected_corners
from models.datasets.synth.photo.wear import worn
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.values import BgrImage

CORNER_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
GEOMETRY_ONLY = Severity(viewpoint=1, jitter=1, blur=0, noise=0, light=0, weather=0, compression=0)
HARD = Severity(viewpoint=1, jitter=1, blur=1, noise=1, light=1, weather=1, compression=1)
GREY = np.full((40, 60, 3), 128, np.uint8)

seeds = st.integers(0, 2**32 - 1)


def plate_with_coloured_corners(*, height_px: int, width_px: int) -> BgrImage:
    plate = np.full((height_px, width_px, 3), 90, np.uint8)
    half_h, half_w = height_px // 4, width_px // 4
    for colour, rows, columns in zip(
        CORNER_COLOURS,
        (slice(0, half_h), slice(0, half_h), slice(-half_h, None), slice(-half_h, None)),
        (slice(0, half_w), slice(-half_w, None), slice(-half_w, None), slice(0, half_w)),
        strict=True,
    ):
        plate[rows, columns] = colour
    return plate


@settings(max_examples=60, deadline=None)
@given(seed=seeds, aspect=st.sampled_from([190 / 140, 2.0, 520 / 110]))
def test_the_corners_say_where_each_corner_of_the_plate_lies(seed: int, aspect: float) -> None:
    plate = plate_with_coloured_corners(height_px=120, width_px=round(120 * aspect))

    taken = photographed(
        plate, rng=np.random.default_rng(seed), severity=GEOMETRY_ONLY, ground=GREY
    )

    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    inside = np.array([[[0.1, 0.1]], [[0.9, 0.1]], [[0.9, 0.9]], [[0.1, 0.9]]], np.float32)
    places = cv2.perspectiveTransform(inside, cv2.getPerspectiveTransform(unit, taken.corners_px))
    for (x, y), colour in zip(places[:, 0], CORNER_COLOURS, strict=True):
        seen = taken.image[int(y), int(x)].astype(int)
        assert np.abs(seen - colour).max() < 60, (x, y, seen, colour)


def test_without_severity_a_plate_fills_its_picture_unchanged() -> None:
    rng = np.random.default_rng(5)
    plate = render_plate(random_plate_spec(rng), height_px=150)

    taken = photographed(plate, rng=rng, severity=NO_DEGRADATION)

    height, width = taken.image.shape[:2]
    assert taken.corners_px.tolist() == pytest.approx(
        np.array([[0, 0], [width, 0], [width, height], [0, height]]), abs=0.6
    )
    expected = cv2.resize(plate, (width, height), interpolation=cv2.INTER_LINEAR)
    assert np.abs(taken.image.astype(int) - expected).mean() < 4


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_the_same_seed_takes_the_same_photograph(seed: int) -> None:
    def taken() -> Photograph:
        rng = np.random.default_rng(seed)
        plate = render_plate(random_plate_spec(rng), height_px=100, rng=rng)
        return photographed(plate, rng=rng, severity=random_severity(rng), ground=GREY)

    first, second = taken(), taken()

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.corners_px, second.corners_px)
    assert first.corners_px.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(
    seed=seeds,
    height_px=st.integers(8, 400),
    width_px=st.integers(8, 600),
    ground=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_any_picture_on_any_ground_can_be_photographed(
    seed: int, height_px: int, width_px: int, ground: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    plate = rng.integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    before = plate.copy()
    around = np.zeros((*ground, 3), np.uint8)

    taken = photographed(plate, rng=rng, severity=HARD, ground=around)

    assert taken.image.dtype == np.uint8
    assert 10 <= taken.image.shape[1] <= 420
    assert taken.image.shape[0] >= 10
    assert np.isfinite(taken.corners_px).all()
    assert np.array_equal(plate, before)
    assert not around.any()


def test_the_given_ground_surrounds_the_plate() -> None:
    plate = np.full((100, 200, 3), 255, np.uint8)
    ground = np.full((50, 50, 3), (0, 200, 0), np.uint8)

    taken = photographed(plate, rng=np.random.default_rng(2), severity=GEOMETRY_ONLY, ground=ground)

    outside = np.full(taken.image.shape[:2], 255, np.uint8)
    grown = taken.corners_px + 3 * np.sign(taken.corners_px - taken.corners_px.mean(axis=0))
    cv2.fillConvexPoly(outside, np.round(grown).astype(np.int32), 0)
    around = taken.image[outside > 0]
    assert len(around) > 50
    assert (np.abs(around.astype(int) - (0, 200, 0)).max(axis=1) < 12).mean() > 0.9


def test_viewpoints_reach_the_promised_angles() -> None:
    rng = np.random.default_rng(3)
    severity = Severity(viewpoint=1)

    views = [projected_corners(2.0, rng=rng, severity=severity) for _ in range(600)]

    edges = [corners[1] - corners[0] for corners in views]
    rolls = np.degrees([np.arctan2(edge[1], edge[0]) for edge in edges])
    heights = [np.linalg.norm(corners[3] - corners[0]) for corners in views]
    widths = [np.linalg.norm(edge) for edge in edges]
    assert np.abs(rolls).max() > 32
    assert min(widths) < 2.0 * np.cos(np.radians(36))  # a turn of 40 degrees narrows the plate
    assert min(heights) < np.cos(np.radians(32))


def test_about_every_third_plate_is_visibly_tilted() -> None:
    rng = np.random.default_rng(4)

    tilts = []
    for _ in range(800):
        corners = projected_corners(1.36, rng=rng, severity=random_severity(rng))
        square = np.array([[-0.68, -0.5], [0.68, -0.5], [0.68, 0.5], [-0.68, 0.5]])
        edges, straight = np.roll(corners, -1, 0) - corners, np.roll(square, -1, 0) - square
        turned = np.arctan2(edges[:, 1], edges[:, 0]) - np.arctan2(straight[:, 1], straight[:, 0])
        tilts.append(np.degrees(np.abs((turned + np.pi) % (2 * np.pi) - np.pi)).max())

    assert 0.25 < np.mean(np.array(tilts) > 10) < 0.5


def test_light_leaves_something_to_read() -> None:
    rng = np.random.default_rng(6)
    severity = Severity(viewpoint=0, jitter=0, blur=0, noise=0, light=1, weather=0, compression=0)

    spreads = []
    for _ in range(150):
        plate = render_plate(random_plate_spec(rng, format_id="moto_private_new"), height_px=120)
        image = photographed(plate, rng=rng, severity=severity).image
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        spreads.append(float(grey[10:-10, 10:-10].std()))

    assert np.mean(np.array(spreads) < 8) < 0.03


def test_wear_grows_with_its_strength_and_none_leaves_the_plate_alone() -> None:
    plate = render_plate(random_plate_spec(np.random.default_rng(1)), height_px=150)

    def damage(strength: float) -> float:
        changes = [
            np.abs(worn(plate, np.random.default_rng(seed), strength=strength).astype(int) - plate)
            for seed in range(30)
        ]
        return float(np.mean(changes))

    assert worn(plate, np.random.default_rng(0), strength=0) is plate
    assert 0 < damage(0.2) < damage(1.0)


def test_anything_but_four_corners_is_refused() -> None:
    with pytest.raises(ValueError, match="four corners"):
        Photograph(image=GREY, corners_px=np.zeros((3, 2), np.float32))
