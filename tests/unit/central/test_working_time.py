# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deadlines by the official calendar: tables counted by hand, and laws of adding."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.domain.calendar_law import calendar_files, parse_calendar
from central.domain.local_time import LOCAL_ZONE
from central.domain.working_time import (
    MINUTES_PER_DAY,
    CalendarNotCoveredError,
    OfficeHours,
    OfficeSpan,
    WorkingCalendar,
)

NEWEST = calendar_files()[-1]
STATED = parse_calendar(NEWEST.read_text("utf-8"), file_name=NEWEST.name)
CALENDAR = STATED.calendar()
DAY = "{day: 2026-01-01, is_working: false, name_vi: a, source: b, confidence: low}"


def at(text: str) -> datetime:
    """A Vietnam time, as ``2026-02-13 09:15``."""
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        # An ordinary week: Monday, then Tuesday, Wednesday.
        ("2026-03-02 09:15", 2, "2026-03-04 09:15"),
        # Over a weekend: Friday, then Monday, Tuesday.
        ("2026-03-06 09:15", 2, "2026-03-10 09:15"),
        # The Friday before Tết 2026 (off 16 to 20 February): Monday 23, Tuesday 24.
        ("2026-02-13 09:15", 2, "2026-02-24 09:15"),
        # The same Friday after closing counts from Monday 23, 07:30.
        ("2026-02-13 17:30", 2, "2026-02-25 07:30"),
        # The Thursday before: Friday 13 is the first day, Monday 23 the second.
        ("2026-02-12 15:00", 2, "2026-02-23 15:00"),
        # In the middle of Tết, mùng 1: as if received on Monday 23, 07:30.
        ("2026-02-17 10:00", 1, "2026-02-24 07:30"),
        # The Friday before Tết 2025 (off 27 to 31 January): Monday 3, Tuesday 4 February.
        ("2025-01-24 14:00", 2, "2025-02-04 14:00"),
        # The Wednesday before Tết 2027 (off Thursday 4 to Wednesday 10): Thursday 11, Friday 12.
        ("2027-02-03 08:00", 2, "2027-02-12 08:00"),
        # Friday 2 January 2026 is off and Saturday 10 is worked in its place.
        ("2025-12-31 10:00", 1, "2026-01-05 10:00"),
        ("2026-01-08 10:00", 2, "2026-01-10 10:00"),
        ("2026-01-09 16:00", 2, "2026-01-12 16:00"),
        # Giỗ Tổ on Sunday 26 April 2026, Monday 27 off; 30 April and 1 May off.
        ("2026-04-24 10:00", 2, "2026-04-29 10:00"),
        ("2026-04-28 10:00", 2, "2026-05-04 10:00"),
        # National Day 2026: Saturday 22 August worked, 31 August to 2 September off.
        ("2026-08-21 10:00", 1, "2026-08-22 10:00"),
        ("2026-08-28 10:00", 1, "2026-09-03 10:00"),
        # Received in the lunch break: counts from 13:30.
        ("2026-03-02 12:00", 1, "2026-03-03 13:30"),
        # Received before opening.
        ("2026-03-02 05:00", 1, "2026-03-03 07:30"),
        # Nothing to wait for: the next opening.
        ("2026-03-07 11:00", 0, "2026-03-09 07:30"),
    ],
)
def test_a_deadline_counts_working_days_of_the_official_calendar(
    received: str, days: int, due: str
) -> None:
    assert CALENDAR.add_working_days(at(received), days=days) == at(due)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        # 11:00 to 11:30 are 30 minutes, the other 30 come after lunch.
        ("2026-03-02 11:00", 60, "2026-03-02 14:00"),
        # Exactly to the closing hour: the same instant as the next opening.
        ("2026-03-02 16:30", 60, "2026-03-03 07:30"),
        # Friday 17:00 before Tết: 30 minutes that day, 90 on Monday 23.
        ("2026-02-13 17:00", 120, "2026-02-23 09:00"),
        ("2026-03-02 07:30", MINUTES_PER_DAY - 1, "2026-03-02 17:29"),
    ],
)
def test_minutes_run_only_in_office_hours(start: str, minutes: int, end: str) -> None:
    assert CALENDAR.add_working_time(at(start), minutes=minutes) == at(end)


@pytest.mark.parametrize(
    ("earlier", "later", "minutes"),
    [
        ("2026-03-02 08:00", "2026-03-02 09:00", 60),
        # Over lunch: 30 before, 30 after.
        ("2026-03-02 11:00", "2026-03-02 14:00", 60),
        # A weekend has none.
        ("2026-03-06 17:30", "2026-03-09 07:30", 0),
        # Tết: from Friday 13, 16:30 to Monday 23, 08:30.
        ("2026-02-13 16:30", "2026-02-23 08:30", 120),
        # Both in the same break.
        ("2026-03-02 12:00", "2026-03-02 13:00", 0),
        # A part of a minute is left out.
        ("2026-03-02 08:00", "2026-03-02 08:01:59", 1),
    ],
)
def test_working_time_between_two_instants(earlier: str, later: str, minutes: int) -> None:
    assert CALENDAR.working_minutes_between(at(earlier), at(later)) == minutes


def test_a_result_is_in_utc() -> None:
    due = CALENDAR.add_working_days(at("2026-03-02 09:15"), days=1)

    assert due.tzinfo is UTC
    assert due == datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize("start", ["2024-12-31 10:00", "2028-01-01 00:00"])
def test_a_start_outside_the_calendar_is_refused(start: str) -> None:
    with pytest.raises(CalendarNotCoveredError) as caught:
        CALENDAR.add_working_days(at(start), days=1)

    assert caught.value.day == at(start).date()
    assert "2025-01-01 to 2027-12-31" in str(caught.value)


def test_a_deadline_behind_the_calendars_end_is_refused() -> None:
    # Friday 31 December 2027 is the last day.
    with pytest.raises(CalendarNotCoveredError) as caught:
        CALENDAR.add_working_days(at("2027-12-31 09:00"), days=1)

    assert caught.value.day == date(2028, 1, 1)


def test_a_difference_that_leaves_the_calendar_is_refused() -> None:
    with pytest.raises(CalendarNotCoveredError):
        CALENDAR.working_minutes_between(at("2027-12-31 09:00"), at("2028-01-03 09:00"))


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        CALENDAR.add_working_days(datetime(2026, 3, 2, 9), days=1)  # noqa: DTZ001  # the fault


def test_an_earlier_end_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        CALENDAR.working_minutes_between(at("2026-03-03 09:00"), at("2026-03-02 09:00"))


def test_working_time_is_never_taken_off() -> None:
    with pytest.raises(ValueError, match="never taken off"):
        CALENDAR.add_working_time(at("2026-03-02 09:00"), minutes=-1)


def test_office_hours_change_with_their_day() -> None:
    summer = OfficeHours(
        valid_from=date(2026, 3, 4),
        spans=(
            OfficeSpan(opens_at=time(7), closes_at=time(11, 30)),
            OfficeSpan(opens_at=time(13, 30), closes_at=time(17)),
        ),
    )
    calendar = WorkingCalendar(
        version=1,
        covers_from=date(2026, 1, 1),
        covers_until=date(2027, 1, 1),
        exceptions={},
        hours=(*CALENDAR.hours, summer),
    )

    # Tuesday 3 March from 17:00: 30 minutes until 17:30; from 07:00 on Wednesday 30 more.
    assert calendar.add_working_time(at("2026-03-03 17:00"), minutes=60) == at("2026-03-04 07:30")


@pytest.mark.parametrize(
    "spans",
    [
        (),
        # Seven hours.
        (OfficeSpan(opens_at=time(8), closes_at=time(15)),),
        # Out of order.
        (
            OfficeSpan(opens_at=time(13, 30), closes_at=time(17, 30)),
            OfficeSpan(opens_at=time(7, 30), closes_at=time(11, 30)),
        ),
    ],
)
def test_office_hours_that_make_no_working_day_are_refused(spans: tuple[OfficeSpan, ...]) -> None:
    with pytest.raises(ValueError, match="office hours"):
        OfficeHours(valid_from=date(2026, 1, 1), spans=spans)


def test_every_saturday_worked_stands_for_a_day_that_is_not() -> None:
    worked = [each.day for each in STATED.days if each.is_working]
    swapped = [each for each in STATED.days if "hoán đổi" in each.name_vi]

    assert [day.isoweekday() for day in worked] == [6] * len(worked)
    assert len(worked) == len(swapped)


def test_each_year_has_the_holidays_of_the_labour_code() -> None:
    # Art. 112: 1 + 5 + 1 + 1 + 1 + 2 days, and 24 November from 2026 on; swaps apart.
    for year, days in ((2025, 11), (2026, 12), (2027, 12)):
        off = [
            each
            for each in STATED.days
            if each.day.year == year
            and not each.is_working
            and "hoán đổi" not in each.name_vi
            and "Nghỉ bù" not in each.name_vi
        ]
        tet = [each for each in off if "Tết Âm lịch" in each.name_vi]
        weekend_in_tet = [each for each in tet if each.day.isoweekday() > 5]

        assert len(off) - len(weekend_in_tet) == days
        assert len(tet) - len(weekend_in_tet) == 5


MOMENTS = st.datetimes(
    min_value=datetime(2025, 1, 2),  # noqa: DTZ001  # hypothesis wants them naive
    max_value=datetime(2027, 3, 1),  # noqa: DTZ001
).map(lambda moment: moment.replace(tzinfo=UTC))
MINUTES = st.integers(min_value=0, max_value=30 * MINUTES_PER_DAY)


@given(start=MOMENTS, first=MINUTES, second=MINUTES)
def test_adding_twice_is_adding_the_sum(start: datetime, first: int, second: int) -> None:
    in_two_steps = CALENDAR.add_working_time(
        CALENDAR.add_working_time(start, minutes=first), minutes=second
    )

    assert in_two_steps == CALENDAR.add_working_time(start, minutes=first + second)


@given(start=MOMENTS, later_s=st.integers(min_value=0, max_value=40 * 86_400), minutes=MINUTES)
def test_who_comes_later_is_never_due_earlier(start: datetime, later_s: int, minutes: int) -> None:
    later = start + timedelta(seconds=later_s)

    assert CALENDAR.add_working_time(start, minutes=minutes) <= CALENDAR.add_working_time(
        later, minutes=minutes
    )


@given(start=MOMENTS, minutes=MINUTES, more=st.integers(min_value=1, max_value=5000))
def test_more_minutes_end_later(start: datetime, minutes: int, more: int) -> None:
    assert CALENDAR.add_working_time(start, minutes=minutes) < CALENDAR.add_working_time(
        start, minutes=minutes + more
    )


@given(start=MOMENTS, minutes=MINUTES)
def test_what_was_added_is_what_lies_between(start: datetime, minutes: int) -> None:
    end = CALENDAR.add_working_time(start, minutes=minutes)

    assert CALENDAR.working_time_between(start, end) == timedelta(minutes=minutes)


@given(start=MOMENTS, minutes=MINUTES)
def test_a_result_lies_in_office_hours(start: datetime, minutes: int) -> None:
    assert CALENDAR.is_open(CALENDAR.add_working_time(start, minutes=minutes))


@given(start=MOMENTS, days=st.integers(min_value=0, max_value=60))
def test_days_are_counted_as_one_counts_them_on_the_fingers(start: datetime, days: int) -> None:
    opening = CALENDAR.opening(start).astimezone(LOCAL_ZONE)
    day, left = opening.date(), days
    while left:
        day += timedelta(days=1)
        left -= CALENDAR.is_working(day)

    due = CALENDAR.add_working_days(start, days=days).astimezone(LOCAL_ZONE)

    assert due == opening.replace(year=day.year, month=day.month, day=day.day)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("version: 2", "own file"),
        ("extra: 1", "extra"),
        ("covers_until: 2024-01-01", "at least one day"),
        ("covers_until: 2026-01-01", "outside the calendar"),
        ("office_hours: []", "office hours"),
        (f"days: [&a {DAY}, *a]", "twice"),
        ("days: [{day: 2026-13-01}]", r"days\.0\.day"),
    ],
)
def test_a_broken_calendar_file_is_refused_with_its_problem(change: str, problem: str) -> None:
    key = change.split(":", 1)[0]
    lines = NEWEST.read_text("utf-8").split("\n")
    kept: list[str] = []
    is_skipping = False
    for line in lines:
        if line and not line[0].isspace() and not line.startswith("#"):
            is_skipping = line.startswith(f"{key}:")
        if not is_skipping:
            kept.append(line)

    with pytest.raises(ValueError, match=problem):
        parse_calendar("\n".join([*kept, change]), file_name="calendar-v1.yaml")
