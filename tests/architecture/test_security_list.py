# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of security points is whole, counts right, and names only tests that are there."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from deploy.security_page import PAGE, PointState, points_of, with_counts

ROOT = Path(__file__).resolve().parents[2]
LEVEL_MAX = 2
# Levels of the points of each section of OWASP ASVS 5.0.0, in order: the third digit of "1.2"
# is the level of V1.2.3. These are numbers of the standard and none of its text.
LEVELS = {
    "1.1": "22",
    "1.2": "1111122223",
    "1.3": "112222222223",
    "1.4": "222",
    "1.5": "123",
    "2.1": "122",
    "2.2": "112",
    "2.3": "12223",
    "2.4": "23",
    "3.1": "3",
    "3.2": "113",
    "3.3": "12223",
    "3.4": "11222233",
    "3.5": "11122333",
    "3.6": "3",
    "3.7": "22333",
    "4.1": "12233",
    "4.2": "23333",
    "4.3": "22",
    "4.4": "1222",
    "5.1": "2",
    "5.2": "112333",
    "5.3": "113",
    "5.4": "222",
    "6.1": "122",
    "6.2": "111111112222",
    "6.3": "11223333",
    "6.4": "112233",
    "6.5": "22222333",
    "6.6": "2223",
    "6.7": "33",
    "6.8": "2222",
    "7.1": "222",
    "7.2": "1111",
    "7.3": "22",
    "7.4": "11222",
    "7.5": "223",
    "7.6": "22",
    "8.1": "1233",
    "8.2": "1123",
    "8.3": "133",
    "8.4": "23",
    "9.1": "111",
    "9.2": "1222",
    "10.1": "22",
    "10.2": "223",
    "10.3": "22223",
    "10.4": "1111122222233333",
    "10.5": "22222",
    "10.6": "22",
    "10.7": "222",
    "11.1": "2233",
    "11.2": "22233",
    "11.3": "11233",
    "11.4": "1222",
    "11.5": "23",
    "11.6": "23",
    "11.7": "33",
    "12.1": "12233",
    "12.2": "11",
    "12.3": "22223",
    "13.1": "2333",
    "13.2": "222223",
    "13.3": "2233",
    "13.4": "1222233",
    "14.1": "22",
    "14.2": "12223333",
    "14.3": "122",
    "15.1": "12233",
    "15.2": "12233",
    "15.3": "1222222",
    "15.4": "3333",
    "16.1": "2",
    "16.2": "22222",
    "16.3": "2222",
    "16.4": "222",
    "16.5": "2223",
    "17.1": "23",
    "17.2": "22223333",
    "17.3": "22",
}
POINTS = points_of(PAGE.read_text("utf-8"))


def test_the_standard_is_counted_as_it_counts_itself() -> None:
    counted = Counter("".join(LEVELS.values()))

    assert counted == {"1": 70, "2": 183, "3": 92}


def test_every_point_of_levels_one_and_two_is_listed_once_and_in_order() -> None:
    wanted = [
        (f"{section}.{place}", int(level))
        for section, levels in LEVELS.items()
        for place, level in enumerate(levels, start=1)
        if int(level) <= LEVEL_MAX
    ]

    assert [(point.number, point.level) for point in POINTS] == wanted


def test_the_counts_at_the_top_are_computed() -> None:
    text = PAGE.read_text("utf-8")

    assert text == with_counts(text), "run: make docs"


def test_every_test_that_the_list_names_is_there() -> None:
    missing = [
        f"{point.number}: {file}::{name}"
        for point in POINTS
        for file, name in point.tests
        if name not in functions_of(file)
    ]

    assert missing == []


def test_a_point_that_is_met_names_a_test_or_the_page_that_lays_it_down() -> None:
    bare = [
        point.number
        for point in POINTS
        if point.state is PointState.MET and not point.tests and not point.has_page
    ]

    assert bare == []


def test_a_point_that_is_not_met_or_does_not_apply_says_why() -> None:
    silent = [point.number for point in POINTS if not point.how]

    assert silent == []


def test_a_row_that_is_damaged_is_refused() -> None:
    for row in ("| 1.1.1 | 2 | x | met |", "| 1.1.1 | 2 | x | perhaps | y | z |"):
        with pytest.raises(ValueError, match=r"cells|PointState"):
            points_of(row)


@cache
def functions_of(file: str) -> frozenset[str]:
    """Names of a file's functions; none when it is not there."""
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
