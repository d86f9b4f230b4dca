# SPDX-License-Identifier: AGPL-3.0-or-later
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidImageError
from models.runtime.corners import (
    MARGIN_X,
    MARGIN_Y,
    flattened,
    frame_corners,
    plausible_corners,
    stretched,
)
from models.runtime.values import BgrImage, FloatArray

FRAME = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def tilted_plate(degrees: float) -> tuple[BgrImage, FloatArray]:
    """A plate of four coloured quarters on grey ground, turned about its middle."""
    image = np.full((240, 240, 3), 128, np.uint8)
    plate = np.zeros((60, 120, 3), np.uint8)
    plate[:30, :60], plate[:30, 60:] = (255, 0, 0), (0, 255, 0)
    plate[30:, 60:], plate[30:, :60] = (0, 0, 255), (255, 255, 255)
    image[90:150, 60:180] = plate
    turn = cv2.getRotationMatrix2D((120, 120), degrees, 1.0)
    corners = np.array([[60, 90], [180, 90], [180, 150], [60, 150]], np.float64)
    turned = corners @ turn[:, :2].T + turn[:, 2]
    rotated = cv2.warpAffine(image, turn, (240, 240), borderValue=(128, 128, 128))
    return np.asarray(rotated, np.uint8), turned.astype(np.float32)


@pytest.mark.parametrize("degrees", [-40.0, -15.0, 0.0, 25.0, 40.0])
def test_a_tilted_plate_is_flat_between_its_corners(degrees: float) -> None:
    image, corners = tilted_plate(degrees)

    flat = flattened(image, corners, height_px=64, width_px=192)

    # The middles of the four quarters, the margin taken off.
    xs = [round(192 * (MARGIN_X + (1 - 2 * MARGIN_X) * share)) for share in (0.25, 0.75)]
    ys = [round(64 * (MARGIN_Y + (1 - 2 * MARGIN_Y) * share)) for share in (0.25, 0.75)]
    seen = [flat[y, x].tolist() for y in ys for x in xs]
    assert flat.shape == (64, 192, 3)
    assert seen == [[255, 0, 0], [0, 255, 0], [255, 255, 255], [0, 0, 255]]


def test_what_lies_outside_the_crop_repeats_its_edge() -> None:
    image = np.full((20, 40, 3), 77, np.uint8)

    flat = flattened(image, frame_corners(image), height_px=64, width_px=192)

    assert (flat == 77).all()


def test_a_large_crop_is_averaged_before_it_shrinks() -> None:
    stripes = np.zeros((640, 1920, 3), np.uint8)
    stripes[:, ::2] = 255  # one pixel black, one white: a warp that picks pixels would alias

    flat = flattened(stripes, frame_corners(stripes), height_px=64, width_px=192)

    assert 100 < flat[10:-10, 10:-10].min() <= flat[10:-10, 10:-10].max() < 155


@pytest.mark.parametrize(
    "shares",
    [
        FRAME[::-1],  # counter-clockwise: the plate would be mirrored
        FRAME[[0, 2, 1, 3]],  # crossing edges
        FRAME * 0.1 + 0.4,  # far smaller than a detector's box
        FRAME * 4 - 1.5,  # far outside
        np.full((4, 2), np.nan, np.float32),
        np.zeros((4, 2), np.float32),
    ],
)
def test_corners_that_can_not_be_a_plates_give_way_to_the_whole_crop(shares: FloatArray) -> None:
    assert np.array_equal(plausible_corners(shares.astype(np.float32)), FRAME)


@settings(deadline=None)
@given(
    st.lists(st.floats(-0.12, 0.12), min_size=8, max_size=8).map(
        lambda values: FRAME + np.array(values, np.float32).reshape(4, 2)
    )
)
def test_plausible_corners_stay_as_they_are(shares: FloatArray) -> None:
    assert np.allclose(plausible_corners(shares), shares)


def test_crops_of_any_size_are_stretched_to_one() -> None:
    crops = [np.full((h, w, 3), 9, np.uint8) for h, w in ((1, 1), (300, 20), (48, 96))]

    batch = stretched(crops, height_px=48, width_px=96)

    assert batch.shape == (3, 48, 96, 3)
    assert (batch == 9).all()


def test_a_grey_crop_is_refused() -> None:
    with pytest.raises(InvalidImageError):
        stretched([np.zeros((10, 10), np.uint8)], height_px=48, width_px=96)
