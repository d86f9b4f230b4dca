# SPDX-License-Identifier: AGPL-3.0-or-later
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.plates import PATTERN_LENGTH_MAX, PlatePattern, normalise_plate_text
from central.errors import InvalidPlatePatternError

PLATES = st.text("ABCDEFGHKLMNPSTUVXYZ0123456789", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("51G-123.45", "51G12345"),
        ("51g 123 45", "51G12345"),
        ("47-AĐ 151.55", "47AD15155"),
        ("47-ađ 151.55", "47AD15155"),
        ("  80A.001-23\n", "80A00123"),
    ],
)
def test_a_plate_is_written_without_separators_in_upper_case(typed: str, stored: str) -> None:
    assert normalise_plate_text(typed) == stored


@given(PLATES)
def test_writing_a_stored_plate_again_changes_nothing(plate: str) -> None:
    assert normalise_plate_text(plate) == plate


@pytest.mark.parametrize(
    ("typed", "plate", "fits"),
    [
        ("51G*", "51G12345", True),
        ("51G*", "51H12345", False),
        ("*345", "51G12345", True),
        ("51G?2345", "51G12345", True),
        ("51G?2345", "51G2345", False),  # a question mark is exactly one character
        ("*", "51G12345", True),
        ("51-g* 45", "51G12345", True),
        ("51G12345", "51G12345", True),
        ("1G1234", "51G12345", False),  # a pattern covers the whole plate
    ],
)
def test_a_pattern_finds_the_plates_it_describes(typed: str, plate: str, *, fits: bool) -> None:
    assert PlatePattern.parse(typed).fits(plate) is fits


@pytest.mark.parametrize(
    "typed", ["", "   ", "51%", "51_", "51'", "51\\", "ABC$", "ß", "١٢٣", "51\x00"]
)
def test_a_pattern_with_a_foreign_character_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(InvalidPlatePatternError) as refused:
        PlatePattern.parse(typed)

    assert not typed.strip() or typed not in str(refused.value)


def test_a_pattern_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidPlatePatternError):
        PlatePattern.parse("1" * (PATTERN_LENGTH_MAX + 1))


def test_many_stars_in_a_row_are_one() -> None:
    assert PlatePattern.parse("51" + "*" * 100 + "45").text == "51*45"


@given(PLATES, st.data())
def test_replacing_characters_by_wildcards_still_finds_the_plate(
    plate: str, data: st.DataObject
) -> None:
    places = data.draw(st.sets(st.integers(0, len(plate) - 1)))
    wildcard = data.draw(st.sampled_from("?*"))
    typed = "".join(wildcard if place in places else sign for place, sign in enumerate(plate))

    assert PlatePattern.parse(typed).fits(plate)


@given(st.text("AB1?*", min_size=1, max_size=PATTERN_LENGTH_MAX), PLATES)
def test_the_database_and_the_rule_agree_on_what_fits(typed: str, plate: str) -> None:
    pattern = PlatePattern.parse(typed)
    as_like = "".join({"%": ".*", "_": "."}.get(sign, sign) for sign in pattern.like)

    assert pattern.fits(plate) == (re.fullmatch(as_like, plate) is not None)
