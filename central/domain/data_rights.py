# SPDX-License-Identifier: AGPL-3.0-or-later
"""Until when a citizen's request about their data is answered; law is data, with dates.

Days of the answer are days of the calendar: the first is not counted, and a period that would end
on a day off ends on the next working day (Bộ luật Dân sự 2015 Art. 147.2, 148.5).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from central.domain.law.reading import LawLine, law_text, parse_lines
from central.domain.local_time import local_date
from central.domain.working_time import WorkingCalendar

TABLE: Final = "data_rights.csv"
_DAY: Final = timedelta(days=1)


class DataRight(LawLine):
    """What holds for one kind of request."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    answer_days: Annotated[int, Field(ge=1, le=366)]
    acknowledge_working_days: Annotated[int, Field(ge=0, le=60)]

    def acknowledge_by(self, received_at: datetime, *, calendar: WorkingCalendar) -> date:
        """Last day on which the receipt is confirmed in time.

        Raises:
            CalendarNotCoveredError: The calendar ends before.
        """
        return local_date(
            calendar.add_working_days(received_at, days=self.acknowledge_working_days)
        )

    def due_on(self, received_at: datetime, *, calendar: WorkingCalendar) -> date:
        """Last day on which the answer is in time.

        Raises:
            CalendarNotCoveredError: The calendar ends before.
        """
        day = local_date(received_at) + self.answer_days * _DAY
        while not calendar.is_working(day):
            day += _DAY
        return day


def data_right(kind: str, *, on: date) -> DataRight:
    """What the law says about a kind of request on a day.

    Raises:
        KeyError: The law says nothing about it on this day.
    """
    for line in _lines()[kind]:
        if line.valid_from <= on and (line.valid_until is None or on < line.valid_until):
            return line
    raise KeyError(kind)


@lru_cache(maxsize=1)
def _lines() -> Mapping[str, tuple[DataRight, ...]]:
    lines = parse_lines(law_text(TABLE), DataRight)
    kinds = {line.kind for line in lines}
    return MappingProxyType(
        {kind: tuple(line for line in lines if line.kind == kind) for kind in kinds}
    )
