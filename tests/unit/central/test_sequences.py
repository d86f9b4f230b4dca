# SPDX-License-Identifier: AGPL-3.0-or-later
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.multirange import Int8Multirange

from central.db.sequences import multirange, seq_set
from central.domain.sequences import SeqRange, SeqSet

NUMBERS = st.lists(st.integers(1, 60), max_size=60)


@pytest.mark.parametrize(
    ("numbers", "up_to", "missing"),
    [
        ([], 0, []),
        ([1], 1, []),
        ([1, 2, 3], 3, []),
        ([3, 1, 2, 2], 3, []),
        ([2, 3], 0, [(1, 1)]),
        ([1, 3, 4, 8], 1, [(2, 2), (5, 7)]),
    ],
)
def test_the_first_gap_decides_what_may_be_acknowledged(
    numbers: list[int], up_to: int, missing: list[tuple[int, int]]
) -> None:
    held = SeqSet.of(numbers)

    assert held.gap_free_up_to == up_to
    assert [(hole.first, hole.last) for hole in held.missing(up_to=held.last)] == missing


def test_numbers_that_the_device_announced_and_never_sent_are_missing_at_the_end() -> None:
    assert SeqSet.of([1, 2]).missing(up_to=5) == (SeqRange(first=3, last=5),)
    assert SeqSet().missing(up_to=2) == (SeqRange(first=1, last=2),)
    assert SeqSet.of([1, 5]).missing(up_to=3) == (SeqRange(first=2, last=3),)


@given(NUMBERS, NUMBERS)
def test_a_set_of_numbers_behaves_like_a_set(left: list[int], right: list[int]) -> None:
    union = SeqSet.of(left).union(SeqSet.of(right))
    expected = {*left, *right}

    assert {number for number in range(70) if number in union} == expected
    assert len(union) == len(expected)
    assert union == SeqSet.of(expected)
    assert union.last == max(expected, default=0)


@given(NUMBERS)
def test_held_and_missing_numbers_together_have_no_gap(numbers: list[int]) -> None:
    held = SeqSet.of(numbers)
    holes = SeqSet(ranges=held.missing(up_to=held.last))

    assert held.union(holes).gap_free_up_to == held.last
    assert len(held) + len(holes) == held.last


@given(NUMBERS)
def test_a_set_survives_the_way_into_the_database(numbers: list[int]) -> None:
    held = SeqSet.of(numbers)

    stored = multirange(held)

    assert isinstance(stored, Int8Multirange)
    assert seq_set(stored) == held


def test_ranges_that_touch_are_refused_as_they_would_hide_that_no_gap_is_there() -> None:
    with pytest.raises(ValueError, match="hole"):
        SeqSet(ranges=(SeqRange(first=1, last=2), SeqRange(first=3, last=4)))
