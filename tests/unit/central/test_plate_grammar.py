# SPDX-License-Identifier: AGPL-3.0-or-later
"""The grammar of plates: parsing and setting are inverse over all of it."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contracts.passage import PlateColour, PlateLayout
from central.domain.plate_grammar import (
    PlateFormat,
    PossiblePlate,
    format_plate,
    is_plate,
    parse_plate,
    plate_formats,
    province_codes,
)
from central.domain.plates import normalise_plate_text

ONE, TWO = PlateLayout.ONE_LINE, PlateLayout.TWO_LINE


@st.composite
def plates(draw: st.DrawFn) -> PossiblePlate:
    """Any plate of any format."""
    format_ = draw(st.sampled_from(plate_formats()))
    text = draw(st.from_regex(format_.shape, fullmatch=True))
    return PossiblePlate(text=text, format=format_)


@given(plate=plates(), data=st.data())
def test_what_is_set_on_a_plate_is_read_back(plate: PossiblePlate, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(sorted(plate.format.layouts)))
    colour = data.draw(st.sampled_from(sorted(plate.format.colours)))

    lines = format_plate(plate, layout)
    read = parse_plate("".join(lines), colour=colour, layout=layout)

    assert plate in read
    assert len(lines) == (2 if layout is TWO else 1)


@given(plate=plates(), data=st.data())
def test_what_is_read_is_set_as_it_stood(plate: PossiblePlate, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(sorted(plate.format.layouts)))
    written = format_plate(plate, layout)

    settings = {format_plate(each, layout) for each in parse_plate(" ".join(written))}

    assert written in settings
    assert all(normalise_plate_text("".join(lines)) == plate.text for lines in settings)


@given(plate=plates())
def test_separators_and_capitals_do_not_matter(plate: PossiblePlate) -> None:
    sloppy = " ".join(plate.text.lower())

    assert parse_plate(sloppy) == parse_plate(plate.text)


@given(text=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", max_size=12))
def test_what_is_no_plate_has_no_format(text: str) -> None:
    fits = [each for each in plate_formats() if each.shape.fullmatch(text)]

    assert [each.format for each in parse_plate(text)] == fits


@pytest.mark.parametrize("format_", plate_formats(), ids=lambda each: each.id)
def test_every_example_is_a_plate_of_its_format(format_: PlateFormat) -> None:
    possible = {each.format.id: each for each in parse_plate(format_.example)}

    assert format_.id in possible
    assert format_plate(possible[format_.id], ONE) == (format_.example,)


@pytest.mark.parametrize(
    ("text", "colour", "layout", "formats"),
    [
        ("30F05658", None, None, {"car_private_5", "car_business_5", "car_state_5"}),
        ("30F25658", PlateColour.YELLOW, None, {"car_business_5"}),
        ("30F05658", PlateColour.UNKNOWN, ONE, {"car_private_5", "car_business_5", "car_state_5"}),
        # Eight signs on two white lines: a car of today or an old motorcycle.
        ("29B11234", PlateColour.WHITE, TWO, {"car_private_5", "moto_private_old"}),
        ("29B11234", PlateColour.WHITE, ONE, {"car_private_5"}),
        ("29DA12345", PlateColour.WHITE, TWO, {"moto_private_new", "legacy_special"}),
        ("AB1234", PlateColour.RED, ONE, {"military"}),
        ("AB1234", PlateColour.WHITE, ONE, set()),
        ("13A12345", None, None, set()),  # 13 is issued to no province
        ("30W12345", None, None, set()),  # W is in no series
    ],
)
def test_colour_and_lines_narrow_what_a_text_may_be(
    text: str, colour: PlateColour | None, layout: PlateLayout | None, formats: set[str]
) -> None:
    assert {each.format.id for each in parse_plate(text, colour=colour, layout=layout)} == formats


def test_vietnamese_letters_are_read_as_they_are_stored() -> None:
    assert is_plate("29TĐ-123.45")
    assert not is_plate("")


def test_there_are_81_province_codes() -> None:
    codes = {each.code for each in province_codes()}

    assert len(codes) == 81
    assert not codes & {"13", "42", "44", "45", "46", "87", "91", "96"}


def test_every_text_is_short_enough_to_be_stored() -> None:
    stored = re.compile(r"[A-Z0-9]{4,12}")

    for format_, layout in product(plate_formats(), PlateLayout):
        if layout in format_.layouts:
            text = normalise_plate_text(format_.example)
            assert stored.fullmatch(text)
