# SPDX-License-Identifier: AGPL-3.0-or-later
"""A row becomes bytes in one way only, and a chain shows every change of its rows."""

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.hash_chain import ChainLink, ChainValue, canonical_bytes

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary()
    | st.uuids()
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.dictionaries(st.text(), VALUES, max_size=4)


def test_the_format_is_the_one_that_chains_were_begun_with() -> None:
    row: dict[str, ChainValue] = {
        "id": 7,
        "at": datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC),
        "on": date(2026, 11, 22),
        "who": "Sở",
        "none": None,
        "key": UUID(int=1),
        "raw": b"\x00\xff",
        "detail": {"b": [1.5, True], "a": "x"},
    }

    first = ChainLink.start("example").next(row)

    assert canonical_bytes(row).decode() == (
        '["m",["at",["t","1795334400123456"],"detail",["m",["a",["s","x"],"b",["l",[["f","1.5"],'
        '["b","1"]]]]],"id",["i","7"],"key",["u","00000000000000000000000000000001"],'
        '"none",["n"],"on",["d","2026-11-22"],"raw",["x","00ff"],"who",["s","Sở"]]]'
    )
    assert (first.position, first.hash.hex()) == (
        1,
        "48d95e1c82fa71b4134772255963fc7e4bf7ffac5298d9f49115edcf5402129d",
    )


def test_a_time_counts_and_not_its_zone() -> None:
    at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    hanoi = at.astimezone(timezone(timedelta(hours=7)))

    assert canonical_bytes({"at": at}) == canonical_bytes({"at": hanoi})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (1, 1.0),
        (None, ""),
        ("a", b"a"),
        ([], {}),
        (["a", "b"], ["ab"]),
        ({"a": "b"}, ["a", "b"]),
        (date(2026, 1, 1), "2026-01-01"),
        (UUID(int=0), "0" * 32),
    ],
)
def test_values_of_different_types_are_different(one: ChainValue, other: ChainValue) -> None:
    assert canonical_bytes({"x": one}) != canonical_bytes({"x": other})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), datetime(2026, 1, 1)])  # noqa: DTZ001
def test_what_has_no_one_form_is_refused(value: ChainValue) -> None:
    with pytest.raises(ValueError, match="chain is"):
        canonical_bytes({"x": value})


@given(row=ROWS, other=ROWS)
def test_equal_bytes_mean_equal_rows(
    row: dict[str, ChainValue], other: dict[str, ChainValue]
) -> None:
    assert canonical_bytes(row) == canonical_bytes(dict(reversed(row.items())))
    if canonical_bytes(row) == canonical_bytes(other):
        assert row == other


@given(rows=st.lists(ROWS, min_size=1, max_size=5, unique_by=canonical_bytes), data=st.data())
def test_a_chain_depends_on_every_row_and_on_their_order(
    rows: list[dict[str, ChainValue]], data: st.DataObject
) -> None:
    changed = data.draw(st.permutations(rows))

    is_same = [canonical_bytes(row) for row in rows] == [canonical_bytes(row) for row in changed]

    assert (_end(rows) == _end(changed)) is is_same
    assert _end(rows) != _end(rows[:-1])
    assert _end([*rows, {}]) != _end(rows)


def test_chains_of_different_names_differ_from_the_start() -> None:
    assert ChainLink.start("audit") != ChainLink.start("ledger")


def _end(rows: list[dict[str, ChainValue]]) -> ChainLink:
    """The last link of a chain over some rows."""
    link = ChainLink.start("test")
    for row in rows:
        link = link.next(row)
    return link
