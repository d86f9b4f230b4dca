# SPDX-License-Identifier: AGPL-3.0-or-later
"""When somebody's day of looks is unusual: pure rules over counted days."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final

from central.protection.types import DayOfLooks, Rule, RuleName, Unusual

HISTORY_DAYS: Final = 30
"""Days before the judged one that say what is usual. Higher: slower to follow a change of work."""


def unusual_days(
    days: Sequence[DayOfLooks], *, on: date, rules: Mapping[RuleName, Rule]
) -> Iterator[Unusual]:
    """What is unusual about a day, for every official of it.

    Args:
        days: Counted days of all officials: the judged one, and those before it.
        on: The day to judge.
        rules: Rules that are switched on.
    """
    own = defaultdict[str, list[int]](list)
    of_role = defaultdict[str | None, list[int]](list)
    for each in days:
        if each.day < on:
            own[each.username].append(each.looks)
            of_role[each.role].append(each.looks)
    for each in days:
        if each.day != on:
            continue
        yield from _volume(each, own[each.username], rules.get(RuleName.VOLUME_OWN))
        yield from _volume(each, of_role[each.role], rules.get(RuleName.VOLUME_ROLE))
        hours = rules.get(RuleName.OUTSIDE_HOURS)
        if hours is not None and each.outside >= hours.parameters["at_least"]:
            yield Unusual(
                rule=RuleName.OUTSIDE_HOURS, username=each.username, day=on, looks=each.outside
            )


def _volume(day: DayOfLooks, before: Sequence[int], rule: Rule | None) -> Iterator[Unusual]:
    """Whether a day has many times the usual number; without a history nothing is usual yet."""
    if rule is None or not before or day.looks < rule.parameters["at_least"]:
        return
    usual = median(before)
    if day.looks >= usual * rule.parameters["times"]:
        yield Unusual(
            rule=rule.name,
            username=day.username,
            day=day.day,
            looks=day.looks,
            usual=Decimal(str(usual)),
        )
