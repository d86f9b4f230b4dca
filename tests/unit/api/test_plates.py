# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates are set as they hang on vehicles (TT 79/2024/TT-BCA)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.plates import plate_lines
from central.contracts.passage import PlateLayout, VehicleClass

ONE, TWO = PlateLayout.ONE_LINE, PlateLayout.TWO_LINE
CAR, MOTORCYCLE = VehicleClass.CAR, VehicleClass.MOTORCYCLE


@pytest.mark.parametrize(
    ("text", "layout", "vehicle_class", "lines"),
    [
        ("30F25658", ONE, CAR, ("30F-256.58",)),  # car of today
        ("30F25658", TWO, CAR, ("30F", "256.58")),  # the same, short plate
        ("29A1234", ONE, CAR, ("29A-1234",)),  # old car, four digits
        ("29A1234", TWO, CAR, ("29A", "1234")),
        ("29B112345", TWO, MOTORCYCLE, ("29-B1", "123.45")),  # motorcycle before 2023
        ("29B11234", TWO, MOTORCYCLE, ("29-B1", "1234")),  # fits a car, too: the class decides
        ("29B11234", TWO, CAR, ("29B", "112.34")),
        ("30AB26659", TWO, MOTORCYCLE, ("30-AB", "266.59")),  # motorcycle of today
        ("30AB26659", TWO, None, ("30-AB", "266.59")),
        ("29LD12345", TWO, None, ("29LD", "123.45")),  # special series of cars
        ("20RM01234", TWO, VehicleClass.TRUCK, ("20RM", "012.34")),  # trailer
        ("80441NG02", ONE, CAR, ("80-441-NG-02",)),  # foreign mission
        ("AB1234", ONE, VehicleClass.TRUCK, ("AB-12-34",)),  # military
        ("XYZ", ONE, CAR, ("XYZ",)),  # fits nothing: as it was read
        ("", ONE, CAR, ()),
    ],
)
def test_a_plate_has_its_dash_dot_and_lines(
    text: str, layout: PlateLayout, vehicle_class: VehicleClass | None, lines: tuple[str, ...]
) -> None:
    assert plate_lines(text, layout=layout, vehicle_class=vehicle_class) == lines


@given(
    text=st.text(alphabet="ABCDEFGHKLMNPRSTUVXYZ0123456789", max_size=12),
    layout=st.sampled_from([None, *PlateLayout]),
    vehicle_class=st.sampled_from([None, *VehicleClass]),
)
def test_no_character_is_ever_added_lost_or_moved(
    text: str, layout: PlateLayout | None, vehicle_class: VehicleClass | None
) -> None:
    lines = plate_lines(text, layout=layout, vehicle_class=vehicle_class)

    assert "".join(lines).replace("-", "").replace(".", "") == text
    assert len(lines) <= 2
