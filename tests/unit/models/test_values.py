# SPDX-License-Identifier: AGPL-3.0-or-later
import numpy as np
import pytest

from models.runtime.values import (
    BoxPx,
    Detection,
    PlateColour,
    PlateLayout,
    PlateReading,
)

BOX = BoxPx(x_min=10.0, y_min=20.0, x_max=30.0, y_max=60.0)


def test_a_box_knows_its_size_and_middle() -> None:
    assert (BOX.width, BOX.height, BOX.centre) == (20.0, 40.0, (20.0, 40.0))


def test_a_padded_box_grows_by_its_own_size() -> None:
    assert BOX.padded(0.1) == BoxPx(x_min=8.0, y_min=16.0, x_max=32.0, y_max=64.0)


def test_a_clipped_box_lies_in_the_picture() -> None:
    assert BOX.clipped(width=25, height=50) == BoxPx(x_min=10.0, y_min=20.0, x_max=25, y_max=50)
    assert BOX.clipped(width=5, height=5) == BoxPx(x_min=5, y_min=5, x_max=5, y_max=5)


@pytest.mark.parametrize(
    "corners", [(3.0, 0.0, 2.0, 1.0), (0.0, 2.0, 1.0, 1.0), (0.0, 0.0, float("nan"), 1.0)]
)
def test_a_box_with_wrong_corners_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="corners"):
        BoxPx(x_min=corners[0], y_min=corners[1], x_max=corners[2], y_max=corners[3])


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Detection(label="plate", confidence=confidence, box_px=BOX)


def test_a_reading_needs_one_confidence_per_character() -> None:
    with pytest.raises(ValueError, match="one confidence per character"):
        PlateReading(
            raw_text="51A1",
            text="51A1",
            char_confidences=(0.9,),
            confidence=0.9,
            alternatives=(),
            layout=PlateLayout.ONE_LINE,
            colour=PlateColour.WHITE,
            is_legal=False,
            slot_probabilities=np.ones((10, 37), dtype=np.float32),
        )
