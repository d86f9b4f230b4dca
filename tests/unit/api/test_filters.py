# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of the list: they come back as they were, and hold nothing wrong or personal."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.filters import TRAIL_MAX, ListQuery, Period, has_order, parse_plate
from api.deps.cursors import CURSOR_LENGTH, cursor_text, parse_cursor
from api.errors import CursorInvalidError
from central.contracts.passage import Direction, VehicleClass
from central.errors import InvalidPlatePatternError
from central.passages.types import CameraKey, PageCursor

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
CURSORS = st.builds(
    lambda at, id_: cursor_text(PageCursor(captured_at=at, passage_id=id_)),
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
)


@st.composite
def queries(draw: st.DrawFn) -> ListQuery:
    """Addresses as the console makes them."""
    query = ListQuery(
        place=draw(st.sampled_from(["", "cau-gia-bay", "cau-gia-bay/lan-1"])),
        vehicle_class=draw(st.sampled_from([None, *VehicleClass])),
        direction=draw(st.sampled_from([None, *Direction])),
        period=draw(st.sampled_from(list(Period))),
        plate_word=draw(st.sampled_from(["", "abcdEFGH1234-_xy"])),
    )
    for cursor in draw(st.lists(CURSORS, max_size=4)):
        query = query.older(cursor)
    return query


@given(queries())
def test_an_address_comes_back_as_it_was(query: ListQuery) -> None:
    assert ListQuery.parse(dict(parse_qsl(urlsplit(query.url()).query))) == query


@given(queries(), CURSORS)
def test_older_and_back_is_where_one_was(query: ListQuery, cursor: str) -> None:
    assert query.older(cursor).newer() == query


def test_the_way_back_is_bounded() -> None:
    cursor = cursor_text(PageCursor(captured_at=NOW, passage_id=UUID(int=1)))
    query = ListQuery()

    for _ in range(TRAIL_MAX * 3):
        query = query.older(cursor)

    assert len(query.trail) == TRAIL_MAX
    assert len(query.url()) < 1000


@pytest.mark.parametrize(
    "values",
    [
        {"place": "NOT A SLUG"},
        {"place": "a/b/c"},
        {"vehicle_class": "tank"},
        {"direction": "' OR 1=1"},
        {"period": "forever"},
        {"p": "20A12345"},
        {"at": "no-cursor"},
        {"from": "2026-11-22T10:00"},  # no own range was chosen
        {"period": "custom", "from": "yesterday"},
    ],
)
def test_what_is_wrong_in_an_address_counts_as_absent(values: dict[str, str]) -> None:
    expected = ListQuery(period=Period.CUSTOM) if values.get("period") == "custom" else ListQuery()

    assert ListQuery.parse(values) == expected


def test_an_own_range_is_vietnam_time() -> None:
    query = ListQuery.parse({"period": "custom", "from": "2026-11-22T07:00", "to": ""})

    wanted = query.as_filter(plate=None, now=NOW)

    assert wanted.captured_from == datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
    assert wanted.captured_until is None


def test_today_begins_at_midnight_in_vietnam() -> None:
    late_evening = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # 01:30 on the 23rd in Vietnam

    wanted = ListQuery(period=Period.TODAY).as_filter(plate=None, now=late_evening)

    assert wanted.captured_from == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "length"),
    [
        (Period.HOUR, timedelta(hours=1)),
        (Period.DAY, timedelta(days=1)),
        (Period.WEEK, timedelta(days=7)),
    ],
)
def test_a_span_reaches_back_from_now(period: Period, length: timedelta) -> None:
    wanted = ListQuery(period=period).as_filter(plate=None, now=NOW)

    assert wanted.captured_from == NOW - length


def test_a_place_is_a_site_or_one_camera() -> None:
    site = ListQuery(place="cau-gia-bay").as_filter(plate=None, now=NOW)
    camera = ListQuery(place="cau-gia-bay/lan-1").as_filter(plate=None, now=NOW)

    assert (site.site_ids, site.cameras) == (("cau-gia-bay",), ())
    assert camera.site_ids == ()
    assert camera.cameras == (CameraKey(site_id="cau-gia-bay", camera_id="lan-1"),)


def test_a_range_must_begin_before_it_ends() -> None:
    values = {"period": "custom", "from": "2026-11-22T10:00", "to": "2026-11-22T09:59"}

    assert not has_order(ListQuery.parse(values), now=NOW)
    assert has_order(ListQuery.parse(values | {"to": "2026-11-22T10:01"}), now=NOW)


def test_an_empty_plate_is_no_plate_and_a_foreign_sign_is_refused() -> None:
    assert parse_plate("   ") is None
    with pytest.raises(InvalidPlatePatternError):
        parse_plate("20A<script>")
    with pytest.raises(InvalidPlatePatternError):
        parse_plate("2" * 33)


@given(at=st.datetimes(timezones=st.just(UTC)), id_=st.uuids())
def test_a_cursor_comes_back_as_it_was(at: datetime, id_: UUID) -> None:
    cursor = PageCursor(captured_at=at, passage_id=id_)

    text = cursor_text(cursor)

    assert parse_cursor(text) == cursor
    assert len(text) == CURSOR_LENGTH


@given(st.text(max_size=40))
def test_a_foreign_cursor_is_refused_or_read_but_never_breaks(text: str) -> None:
    try:
        parsed = parse_cursor(text)
    except CursorInvalidError:
        return
    assert parsed.captured_at.tzinfo is not None
