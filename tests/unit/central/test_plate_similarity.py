# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readings are near when a network would err that way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.plate_confusion import fold
from central.domain.plate_similarity import (
    ALIKE_DISTANCE_MAX,
    alike_patterns,
    alike_texts,
    folded_pattern,
    pattern_distance,
    reading_distance,
)
from central.domain.plates import PlatePattern

PLATES = st.text(alphabet="0123456789ABCDEFGHKLMNPSTUVXYZ", max_size=9)
NEAR = st.text(alphabet="018BOD", max_size=6)
PATTERNS = st.text(alphabet="018BOD?*", min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("30F25658", "30F25658", 0.0),
        ("30F25658", "30F2565B", 0.3),  # 8 and B look alike
        ("30F25658", "3OF2565B", 0.6),  # and 0 and O, too
        ("30F25658", "30F25654", 1.0),  # 8 and 4 do not
        ("30F25658", "30F2565", 0.8),  # the last one was hidden
        ("", "30F", 2.4),
    ],
)
def test_a_distance_is_the_sum_of_its_steps(one: str, other: str, distance: float) -> None:
    assert reading_distance(one, other) == pytest.approx(distance)


@given(PLATES, PLATES)
def test_a_distance_is_the_same_both_ways_and_bounded(one: str, other: str) -> None:
    there, back = reading_distance(one, other), reading_distance(other, one)

    assert there == pytest.approx(back)
    assert (there == 0) is (one == other)
    assert there <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("pattern", "text", "distance"),
    [
        ("30F25658", "30F25658", 0.0),
        ("30F2?6*", "30F25658", 0.0),  # what wildcards stand for costs nothing
        ("30F2?6*", "3OF2565B", 0.3),  # the O does
        ("*658", "30F25653", 0.3),  # 3 for 8
        ("*958", "30F25658", 1.0),  # 6 does not look like 9
        ("30F25658", "30F2565", None),  # a plate has as many characters as the pattern
        ("*", "", 0.0),
        ("?", "", None),
    ],
)
def test_a_distance_from_a_pattern_is_that_of_what_the_pattern_names(
    pattern: str, text: str, distance: float | None
) -> None:
    assert pattern_distance(PlatePattern.parse(pattern), text) == (
        None if distance is None else pytest.approx(distance)
    )


@given(PATTERNS, NEAR)
def test_a_plate_fits_a_pattern_exactly_when_it_is_at_no_distance(pattern: str, text: str) -> None:
    wanted = PlatePattern.parse(pattern)

    assert not text or (pattern_distance(wanted, text) == 0) is wanted.fits(text)


@given(PATTERNS, NEAR)
def test_what_fits_a_pattern_fits_it_folded_too(pattern: str, text: str) -> None:
    wanted = PlatePattern.parse(pattern)

    assert folded_pattern(wanted).fits(fold(text)) or not wanted.fits(text)
    assert fold(fold(text)) == fold(text)


def test_digits_stay_apart_in_the_folded_key_and_are_tried_one_at_a_time() -> None:
    assert len({fold(digit) for digit in "0123456789"}) == 10

    assert alike_patterns(PlatePattern.parse("30F*58")) == (
        "30F%58",
        "_0F%58",  # 3 for 8
        "3_F%58",
        "30_%58",  # F for E
        "30F%_8",
        "30F%5_",
    )
    assert alike_patterns(PlatePattern.parse("3OF*")) == ("30F%",)  # four are too few


@given(NEAR, NEAR)
def test_the_texts_sought_for_a_plate_are_those_at_no_more_than_two_look_alikes(
    plate: str, text: str
) -> None:
    is_near = pattern_distance(PlatePattern.parse(plate), text) if plate else None

    assert (text in alike_texts(plate)) is (
        is_near is not None and is_near <= ALIKE_DISTANCE_MAX
    ) or not plate


def test_a_whole_plate_means_some_hundred_texts() -> None:
    texts = alike_texts("30F25658")

    assert texts[0] == "30F25658"
    assert {"3OF2565B", "30F25653", "38F25656"} <= set(texts)
    assert 100 < len(texts) == len(set(texts)) < 2000
