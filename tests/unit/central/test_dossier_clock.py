# SPDX-License-Identifier: AGPL-3.0-or-later
"""The clock of a dossier that stands still and runs again, whenever that happens."""

from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from central.procedures.clock import running_until, stopped_with
from tests.unit.central.test_working_time import CALENDAR

DAYS: Final = 2
MINUTES: Final = DAYS * 480
STARTS = st.datetimes(
    min_value=datetime(2026, 1, 5),  # noqa: DTZ001  # hypothesis wants bounds without a zone
    max_value=datetime(2027, 10, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LATER_S = st.integers(min_value=0, max_value=21 * 86_400)


@given(start=STARTS, stopped_after_s=LATER_S, stood_s=LATER_S)
def test_standing_still_takes_no_working_time_off_and_adds_none(
    start: datetime, stopped_after_s: int, stood_s: int
) -> None:
    due_at = CALENDAR.add_working_days(start, days=DAYS)
    stopped_at = start + timedelta(seconds=stopped_after_s)
    runs_at = stopped_at + timedelta(seconds=stood_s)

    left = stopped_with(CALENDAR, due_at=due_at, now=stopped_at)
    again = running_until(CALENDAR, due_at=due_at, remaining_minutes=left, now=runs_at)

    if left == 0:
        assert again == due_at
        return
    gone = CALENDAR.working_minutes_between(start, stopped_at)
    # A part of a minute is left out on each side.
    assert MINUTES - 2 <= gone + left <= MINUTES
    assert CALENDAR.working_minutes_between(runs_at, again) == left
    assert again >= due_at or CALENDAR.working_minutes_between(again, due_at) <= 2


@given(start=STARTS, stopped_after_s=LATER_S, longer_s=LATER_S)
def test_who_stops_later_has_no_more_time_left(
    start: datetime, stopped_after_s: int, longer_s: int
) -> None:
    due_at = CALENDAR.add_working_days(start, days=DAYS)
    early = start + timedelta(seconds=stopped_after_s)

    first = stopped_with(CALENDAR, due_at=due_at, now=early)
    second = stopped_with(CALENDAR, due_at=due_at, now=early + timedelta(seconds=longer_s))

    assert 0 <= second <= first <= MINUTES
