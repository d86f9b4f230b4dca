# SPDX-License-Identifier: AGPL-3.0-or-later
"""Days in Vietnam."""

from datetime import UTC, date, datetime

import pytest

from central.domain.local_time import local_date, start_of_local_day, terminal_time


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        # 16:59 in Greenwich is 23:59 in Vietnam.
        (datetime(2026, 2, 13, 16, 59, tzinfo=UTC), date(2026, 2, 13)),
        (datetime(2026, 2, 13, 17, 0, tzinfo=UTC), date(2026, 2, 14)),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_day_ends_at_five_in_the_afternoon_of_greenwich(instant: datetime, day: date) -> None:
    assert local_date(instant) == day


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    assert start_of_local_day(date(2026, 2, 14)) == datetime(2026, 2, 13, 17, tzinfo=UTC)


def test_a_naive_instant_has_no_day() -> None:
    with pytest.raises(ValueError, match="aware"):
        local_date(datetime(2026, 2, 13, 9))  # noqa: DTZ001  # the fault


def test_a_time_at_the_terminal_is_vietnams_and_never_is_a_hyphen() -> None:
    at = datetime(2026, 11, 22, 17, 4, 5, tzinfo=UTC)

    assert (terminal_time(at), terminal_time(None)) == ("23/11/2026 00:04:05", "-")
