# SPDX-License-Identifier: AGPL-3.0-or-later
"""A taxi's roof light is no second vehicle, and a plate that nobody can read still is one.

The car stands at (160, 120) in the picture and is 160 wide and high: its roof light hangs at its
top, its plate near its bottom.
"""

from typing import Final

import pytest

from edge.pipeline.rules import GATE_PASSAGES, STILL_GATE_PASSAGES
from models.runtime.values import PlateReading
from tests.unit.edge.film import Film, VehiclesAt
from tests.unit.edge.makers import box, reading

CAR: Final = box(160, 120, 160)
LIGHT: Final = box(160, 60, 30)
PLATE: Final = box(160, 180, 30)
FRAMES: Final = 6


def guess() -> PlateReading:
    return reading("14C97045", 0.01)


def plate() -> PlateReading:
    return reading("69Y74940")


def test_a_roof_light_above_the_plate_is_no_passage() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()), (2, PLATE, plate()))

    film.finish(1, 2)

    assert film.texts == ["69Y74940"]
    assert film.assembly.counts.rejoined == 1


@pytest.mark.parametrize("is_light_first", [True, False])
def test_a_roof_light_is_no_passage_while_the_plate_is_out_of_the_picture(
    *, is_light_first: bool
) -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    seen = [(1, LIGHT, guess()), (2, PLATE, plate())]
    for each in seen if is_light_first else reversed(seen):
        for _ in range(FRAMES):
            film.show(each)
        film.nothing(0.3, ended=(each[0],))
    film.nothing(GATE_PASSAGES.hold_s)

    assert film.texts == ["69Y74940"]


def test_a_roof_light_is_no_passage_while_its_taxi_stands_before_the_barrier() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()), (2, PLATE, plate()))
    for step in range(40):
        film.show((2, PLATE, plate()), ended=(1,) if step == 0 else ())

    film.finish(2)

    assert film.texts == ["69Y74940"]


CUT_CAR: Final = box(160, 180, 120)
"""A car that drives away and is not whole in the picture yet."""


def show_light_then_plate_from_below(film: Film, *, pause_s: float) -> None:
    for step in range(FRAMES):
        film.show((1, box(160, 150 - 2 * step, 20), guess()))
    film.nothing(pause_s, ended=(1,))
    for step in range(FRAMES):
        film.show((2, box(160, 225 - 15 * step, 20), plate()))
    film.finish(2)


def test_a_roof_light_is_no_passage_when_the_plate_was_below_the_picture() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CUT_CAR))

    show_light_then_plate_from_below(film, pause_s=0.2)

    assert film.texts == ["69Y74940"]


def test_a_taxi_whose_plate_was_missed_is_told_when_the_next_car_follows_close() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CUT_CAR))

    show_light_then_plate_from_below(film, pause_s=0.5)

    assert sorted(map(str, film.texts)) == ["14C97045", "69Y74940"]


def test_a_taxi_whose_plate_was_missed_is_told_when_a_motorcycle_was_in_its_place_before() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    for step in range(FRAMES):
        film.show((2, box(210, 225 - 15 * step, 20), plate()))
    film.nothing(0.4, ended=(2,))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()))

    film.finish(1)

    assert film.texts == ["69Y74940", "14C97045"]


def test_a_roof_light_in_a_single_picture_is_no_passage() -> None:
    film = Film(STILL_GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    film.show((1, LIGHT, guess()), (2, PLATE, plate()))

    film.finish(1, 2)

    assert film.texts == ["69Y74940"]


def test_a_taxi_of_which_only_the_roof_light_is_seen_is_told() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()))
    film.nothing(5.0, ended=(1,))
    for _ in range(FRAMES):
        film.show((2, PLATE, plate()))

    film.finish(2)

    assert film.texts == ["14C97045", "69Y74940"]


def test_a_covered_plate_beside_another_vehicle_is_told() -> None:
    other = box(260, 120, 30)
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR, box(260, 100, 100)))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()), (2, other, plate()))

    film.finish(1, 2)

    assert sorted(map(str, film.texts)) == ["14C97045", "69Y74940"]


def test_a_covered_plate_is_told_when_the_next_car_soon_is_in_its_place() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR))
    for _ in range(FRAMES):
        film.show((1, PLATE, guess()))
    film.nothing(0.5, ended=(1,))
    for _ in range(FRAMES):
        film.show((2, box(160, 190, 30), plate()))

    film.finish(2)

    assert sorted(map(str, film.texts)) == ["14C97045", "69Y74940"]


def test_a_motorcycle_with_a_covered_plate_before_a_bus_is_told() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(CAR, box(160, 50, 60)))
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()), (2, PLATE, plate()))

    film.finish(1, 2)

    assert sorted(map(str, film.texts)) == ["14C97045", "69Y74940"]


def test_a_covered_plate_is_told_where_no_vehicle_is_made_out() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt())
    for _ in range(FRAMES):
        film.show((1, LIGHT, guess()), (2, PLATE, plate()))

    film.finish(1, 2)

    assert sorted(map(str, film.texts)) == ["14C97045", "69Y74940"]
