# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readings are near when a network would err that way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.plate_similarity import reading_distance

PLATES = st.text(alphabet="0123456789ABCDEFGHKLMNPSTUVXYZ", max_size=9)


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
