# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counting deadlines: in office hours of working days, by the official calendar.

How it is counted, and why (``deploy/docs/adr/0005-working-time.md``):

- Administrative deadlines count working days, and hours are days times eight (one-stop rules, NĐ
  118/2025/NĐ-CP; TT 03/2025/TT-VPCP). A working day is therefore 480 minutes of office hours.
- A dossier that comes in outside office hours counts from the next opening.
- Two working days from Friday 09:15 end on Tuesday 09:15: the same time of day. That is never
  later than the end of the day that the Civil Code allows (Bộ luật Dân sự 2015 Art. 147.2, 148.5:
  the first day is not counted, and the period ends with its last day), and it can be stopped and
  continued to the minute.
- The instant of a closing hour is the same as the next opening hour; results are given as the
  opening. So adding is additive: after ``a`` minutes and then ``b`` it is what ``a + b`` gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from central.domain.local_time import LOCAL_ZONE, to_local
from central.errors import CentralError

MINUTES_PER_DAY: Final = 480
SPANS_MAX: Final = 4
_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


class CalendarNotCoveredError(CentralError):
    """A deadline leads to a day about which the official calendar says nothing.

    Attributes:
        day: The day.
        covers_from: First day of the calendar.
        covers_until: First day after it.
    """

    def __init__(self, day: date, *, covers_from: date, covers_until: date) -> None:
        super().__init__(
            f"{day} lies outside the official calendar, which covers {covers_from} to "
            f"{covers_until - _DAY}"
        )
        self.day = day
        self.covers_from = covers_from
        self.covers_until = covers_until


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeSpan:
    """A part of a working day without a break, in Vietnam time; ``closes_at`` is excluded."""

    opens_at: time
    closes_at: time

    def __post_init__(self) -> None:
        if self.opens_at.tzinfo is not None or self.closes_at.tzinfo is not None:
            raise ValueError("office hours are Vietnam times and bear no zone")
        if self.opens_at >= self.closes_at:
            raise ValueError("the office must open before it closes")

    def minutes(self) -> int:
        """How long it is; whole minutes."""
        opens, closes = self.opens_at, self.closes_at
        return (closes.hour - opens.hour) * 60 + closes.minute - opens.minute


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """Office hours of every working day from a day on, until other ones begin.

    Attributes:
        spans: In order, not touching; together ``MINUTES_PER_DAY``.
    """

    valid_from: date
    spans: tuple[OfficeSpan, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.spans) <= SPANS_MAX:
            raise ValueError(f"a day has 1 to {SPANS_MAX} spans of office hours")
        for span in self.spans:
            if span.opens_at.second or span.closes_at.second:
                raise ValueError("office hours are whole minutes")
        for before, after in zip(self.spans, self.spans[1:], strict=False):
            if before.closes_at >= after.opens_at:
                raise ValueError("spans of office hours must be in order and apart")
        if sum(span.minutes() for span in self.spans) != MINUTES_PER_DAY:
            raise ValueError(f"the office hours of a day must make {MINUTES_PER_DAY} minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """The official calendar: which days are worked, and when the office is open.

    Attributes:
        version: A deadline is stored with it.
        covers_from: First day about which it says something.
        covers_until: First day about which it no longer does.
        exceptions: Days that differ from "Monday to Friday": ``False`` for holidays, ``True``
            for Saturdays and Sundays that are worked in place of another day.
        hours: Oldest first; the first begins with the calendar or before.
    """

    version: int
    covers_from: date
    covers_until: date
    exceptions: Mapping[date, bool]
    hours: tuple[OfficeHours, ...]

    def __post_init__(self) -> None:
        if self.covers_from >= self.covers_until:
            raise ValueError("a calendar must cover at least one day")
        if not self.hours or self.hours[0].valid_from > self.covers_from:
            raise ValueError("the first office hours begin after the calendar")
        starts = [each.valid_from for each in self.hours]
        if starts != sorted(set(starts)):
            raise ValueError("office hours must be in order, each beginning on another day")
        for day in self.exceptions:
            if not self.covers_from <= day < self.covers_until:
                raise ValueError(f"{day} lies outside the calendar")

    def is_working(self, day: date) -> bool:
        """Whether a day is worked.

        Raises:
            CalendarNotCoveredError: The calendar says nothing about the day.
        """
        self._require_covered(day)
        return self.exceptions.get(day, day.weekday() < _SATURDAY)

    def is_open(self, instant: datetime) -> bool:
        """Whether the office is open at an instant.

        Raises:
            CalendarNotCoveredError: The calendar says nothing about its day.
        """
        return any(opens <= instant < closes for opens, closes in self._spans_of(_day(instant)))

    def opening(self, instant: datetime) -> datetime:
        """The instant itself when the office is open, else the next opening; in UTC.

        Raises:
            CalendarNotCoveredError: The calendar ends before.
        """
        return self.add_working_time(instant, minutes=0)

    def add_working_days(self, start: datetime, *, days: int) -> datetime:
        """When a number of working days after an instant is over; in UTC.

        Args:
            start: Aware; outside office hours it counts from the next opening.
            days: 0 or more.

        Raises:
            CalendarNotCoveredError: The calendar ends before.
        """
        return self.add_working_time(start, minutes=days * MINUTES_PER_DAY)

    def add_working_time(self, start: datetime, *, minutes: int) -> datetime:
        """When a number of minutes of office hours after an instant is over; in UTC.

        Args:
            start: Aware; outside office hours it counts from the next opening.
            minutes: 0 or more.

        Raises:
            CalendarNotCoveredError: The calendar ends before.
        """
        if minutes < 0:
            raise ValueError("working time is added, never taken off")
        left = timedelta(minutes=minutes)
        for opens, closes in self._spans_from(start):
            begin = max(opens, start)
            if left < closes - begin:
                return (begin + left).astimezone(UTC)
            left -= closes - begin
        raise AssertionError("the spans end with an error, never by themselves")

    def working_time_between(self, earlier: datetime, later: datetime) -> timedelta:
        """Office hours between two instants, exactly.

        Raises:
            ValueError: ``later`` is before ``earlier``.
            CalendarNotCoveredError: The calendar says nothing about a day between them.
        """
        if later < earlier:
            raise ValueError("the later instant is before the earlier one")
        self._require_covered(_day(later))
        total = timedelta(0)
        for opens, closes in self._spans_from(earlier):
            if opens >= later:
                break
            total += min(closes, later) - max(opens, earlier)
            if closes >= later:
                break
        return total

    def working_minutes_between(self, earlier: datetime, later: datetime) -> int:
        """Whole minutes of office hours between two instants; a part of a minute is left out.

        Raises:
            ValueError: ``later`` is before ``earlier``.
            CalendarNotCoveredError: The calendar says nothing about a day between them.
        """
        return self.working_time_between(earlier, later) // timedelta(minutes=1)

    def _spans_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every span of office hours that ends after an instant, in order; never ends quietly."""
        day = _day(start)
        while True:
            for opens, closes in self._spans_of(day):
                if closes > start:
                    yield opens, closes
            day += _DAY

    def _spans_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Office hours of one day; none when it is not worked."""
        if not self.is_working(day):
            return
        in_force = [each for each in self.hours if each.valid_from <= day][-1]
        for span in in_force.spans:
            yield (
                datetime.combine(day, span.opens_at, tzinfo=LOCAL_ZONE),
                datetime.combine(day, span.closes_at, tzinfo=LOCAL_ZONE),
            )

    def _require_covered(self, day: date) -> None:
        if not self.covers_from <= day < self.covers_until:
            raise CalendarNotCoveredError(
                day, covers_from=self.covers_from, covers_until=self.covers_until
            )


def _day(instant: datetime) -> date:
    return to_local(instant).date()
