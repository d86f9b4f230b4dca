# SPDX-License-Identifier: AGPL-3.0-or-later
"""When looks are unusual, and until when a citizen's request is answered."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import pytest

from central.domain.calendar_law import calendar_files, parse_calendar
from central.domain.data_rights import data_right
from central.protection.judging import unusual_days
from central.protection.types import DayOfLooks, RequestKind, Rule, RuleName, Unusual

NEWEST: Final = calendar_files()[-1]
TODAY: Final = date(2026, 11, 26)
VOLUME: Final = {"times": 3, "at_least": 20}


def rule(name: RuleName, **parameters: int) -> Rule:
    """A rule that is on."""
    return Rule(
        name=name,
        is_enabled=True,
        parameters=parameters,
        version=1,
        changed_by=None,
        changed_at=None,
    )


def day(
    username: str, *, back: int, looks: int, role: str = "clerk", outside: int = 0
) -> DayOfLooks:
    """A counted day, so many days before today."""
    return DayOfLooks(
        username=username,
        role=role,
        day=TODAY - timedelta(days=back),
        looks=looks,
        outside=outside,
    )


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (29, []),  # the median of 8, 10 and 12 is 10: three times as many is unusual
        (30, [("volume_own", Decimal(10))]),
        (19, []),
    ],
)
def test_a_day_is_compared_with_the_median_of_the_days_before(
    today: int, found: list[tuple[str, Decimal]]
) -> None:
    days = [day("a", back=number, looks=looks) for number, looks in enumerate((today, 8, 10, 12))]

    unusual = unusual_days(
        days, on=TODAY, rules={RuleName.VOLUME_OWN: rule(RuleName.VOLUME_OWN, **VOLUME)}
    )

    assert [(each.rule, each.usual) for each in unusual] == found


def test_a_newcomer_is_compared_with_the_role_and_not_with_nothing() -> None:
    days = [
        day("new", back=0, looks=90),
        day("old", back=1, looks=25),
        day("reviewer", back=1, looks=1000, role="reviewer"),
    ]
    rules = {name: rule(name, **VOLUME) for name in (RuleName.VOLUME_OWN, RuleName.VOLUME_ROLE)}

    found = list(unusual_days(days, on=TODAY, rules=rules))

    assert found == [
        Unusual(rule=RuleName.VOLUME_ROLE, username="new", day=TODAY, looks=90, usual=Decimal(25))
    ]


def test_looks_outside_of_hours_count_from_their_threshold_on() -> None:
    hours = rule(RuleName.OUTSIDE_HOURS, from_hour=20, until_hour=6, at_least=5)
    days = [day("a", back=0, looks=9, outside=5), day("b", back=0, looks=9, outside=4)]

    found = unusual_days(days, on=TODAY, rules={RuleName.OUTSIDE_HOURS: hours})

    assert [(each.username, each.looks) for each in found] == [("a", 5)]


@pytest.mark.parametrize(
    ("kind", "acknowledge_by", "due_on"),
    [
        # Taken in on Thursday 26 November at 9:00 in Vietnam.
        (RequestKind.ACCESS, date(2026, 11, 30), date(2026, 12, 7)),  # the 10th day is a Sunday
        (RequestKind.CORRECTION, date(2026, 11, 30), date(2026, 12, 7)),
        (RequestKind.RESTRICTION, date(2026, 11, 30), date(2026, 12, 11)),
        (RequestKind.ERASURE, date(2026, 11, 30), date(2026, 12, 16)),
    ],
)
def test_deadlines_count_calendar_days_and_end_on_a_working_day(
    kind: RequestKind, acknowledge_by: date, due_on: date
) -> None:
    calendar = parse_calendar(NEWEST.read_text("utf-8"), file_name=NEWEST.name).calendar()
    received_at = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)

    right = data_right(kind, on=TODAY)

    assert right.acknowledge_by(received_at, calendar=calendar) == acknowledge_by
    assert right.due_on(received_at, calendar=calendar) == due_on


def test_the_law_says_nothing_about_the_time_before_it() -> None:
    with pytest.raises(KeyError):
        data_right(RequestKind.ACCESS, on=date(2025, 12, 31))
