# SPDX-License-Identifier: AGPL-3.0-or-later
"""Terms of papers."""

from datetime import date

import pytest

from central.domain.papers import months_later


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 3, 2), 12, date(2027, 3, 2)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 31), 1, date(2026, 3, 1)),  # February has no 31st: the first day after it
        (date(2028, 2, 29), 12, date(2029, 3, 1)),
        (date(2026, 8, 31), 1, date(2026, 10, 1)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
    ],
)
def test_a_term_in_months_ends_on_the_same_day_or_the_first_after_it(
    day: date, months: int, later: date
) -> None:
    assert months_later(day, months) == later
