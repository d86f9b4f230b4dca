# SPDX-License-Identifier: AGPL-3.0-or-later
import pytest

from models.datasets.pool import LabelledBox
from models.datasets.riders import MOTORCYCLE_CLASS, PERSON_CLASS, with_riders

CAR_CLASS = 0


def box(class_id: int, left: float, top: float, right: float, bottom: float) -> LabelledBox:
    return LabelledBox(
        class_id=class_id,
        centre_x=(left + right) / 2,
        centre_y=(top + bottom) / 2,
        width=right - left,
        height=bottom - top,
    )


MACHINE = box(MOTORCYCLE_CLASS, 0.4, 0.5, 0.5, 0.7)
RIDER = box(PERSON_CLASS, 0.41, 0.35, 0.49, 0.62)


def test_the_rider_joins_the_motorcycle() -> None:
    joined, person = with_riders((MACHINE, RIDER))

    assert person == RIDER
    assert joined.class_id == MOTORCYCLE_CLASS
    assert joined.centre_y - joined.height / 2 == pytest.approx(0.35)
    assert joined.centre_y + joined.height / 2 == pytest.approx(0.7)
    assert joined.width == pytest.approx(MACHINE.width)


def test_driver_and_pillion_rider_both_join() -> None:
    pillion = box(PERSON_CLASS, 0.45, 0.3, 0.53, 0.6)

    joined = with_riders((MACHINE, RIDER, pillion))[0]

    assert joined.centre_y - joined.height / 2 == pytest.approx(0.3)
    assert joined.centre_x + joined.width / 2 == pytest.approx(0.53)


@pytest.mark.parametrize(
    "passer_by",
    [
        box(PERSON_CLASS, 0.60, 0.35, 0.68, 0.70),  # beside it
        box(PERSON_CLASS, 0.50, 0.40, 0.56, 0.70),  # touching its edge
        box(PERSON_CLASS, 0.42, 0.10, 0.48, 0.50),  # far behind it, above
    ],
)
def test_a_passer_by_does_not_join(passer_by: LabelledBox) -> None:
    assert with_riders((MACHINE, passer_by)) == (MACHINE, passer_by)


def test_a_rider_joins_only_the_motorcycle_that_carries_them() -> None:
    neighbour = box(MOTORCYCLE_CLASS, 0.48, 0.5, 0.58, 0.7)

    first, second, _ = with_riders((MACHINE, neighbour, RIDER))

    assert first.height > MACHINE.height
    assert second == neighbour


def test_boxes_of_other_classes_stay_as_they_are() -> None:
    car = box(CAR_CLASS, 0.3, 0.3, 0.6, 0.8)

    assert with_riders((car, RIDER)) == (car, RIDER)
    assert with_riders(()) == ()
