# SPDX-License-Identifier: AGPL-3.0-or-later
"""What somebody asks about traffic: of which site, from which day to which, in what slots."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlencode

from central.domain.local_time import start_of_local_day
from central.traffic.types import DAY, HOUR, SLOTS_MAX, Span

PATH: Final = "/console/traffic"
DAYS_DEFAULT: Final = 7
QUARTERS_DAYS_MAX: Final = 2
"""Longest span that is shown by quarters of an hour."""

HOURS_DAYS_MAX: Final = 7
"""Longest span that is shown by hours; longer ones are shown by days."""

QUARTER: Final = timedelta(minutes=15)


class Fault(StrEnum):
    """Why a question has no answer."""

    NO_DAY = "no_day"
    WRONG_ORDER = "wrong_order"
    TOO_LONG = "too_long"
    UNKNOWN_SITE = "unknown_site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as it was asked; days as browsers write them, so that a form can show them again.

    Attributes:
        site: Name of a site, empty for all that the person may see.
    """

    site: str
    first: str
    last: str

    @classmethod
    def parse(cls, values: Mapping[str, str], *, today: date) -> Self:
        """Read an address; without days, the last week."""
        return cls(
            site=values.get("site", ""),
            first=values.get("from", "") or str(today - timedelta(days=DAYS_DEFAULT - 1)),
            last=values.get("to", "") or str(today),
        )

    def span(self) -> Span | Fault:
        """The span in slots that its length allows, or what is wrong with the days."""
        first, last = _day(self.first), _day(self.last)
        if first is None or last is None:
            return Fault.NO_DAY
        if first > last:
            return Fault.WRONG_ORDER
        days = (last - first).days + 1
        if days > SLOTS_MAX:
            return Fault.TOO_LONG
        return Span(
            since=start_of_local_day(first),
            until=start_of_local_day(last) + DAY,
            slot=QUARTER if days <= QUARTERS_DAYS_MAX else HOUR if days <= HOURS_DAYS_MAX else DAY,
        )

    def url(self, key: str) -> str:
        """Address of one chart's file; the kind of file is added to it."""
        asked = {"site": self.site, "from": self.first, "to": self.last}
        return f"{PATH}/{key}?{urlencode({name: value for name, value in asked.items() if value})}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
