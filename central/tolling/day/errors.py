# SPDX-License-Identifier: AGPL-3.0-or-later
"""What closing a day can refuse.

::

    CentralError
    └── TollingError
        ├── StationNotFoundError      no station has this id, or the caller may not see it
        ├── TollDayNotFoundError      no closed day has this id, or the caller may not see it
        ├── TollDayNotOverError       the day still runs, or has not begun
        └── ProviderFileError         a provider's file can't be taken; nothing of it was kept
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from central.tolling.errors import TollingError


class StationNotFoundError(TollingError):
    """No toll station has this id, or the caller may not see it."""

    def __init__(self, station_id: str) -> None:
        super().__init__(f"toll station {station_id} not found")
        self.station_id = station_id


class TollDayNotFoundError(TollingError):
    """No closed day has this id, or the caller may not see its station."""

    def __init__(self, day_id: UUID) -> None:
        super().__init__(f"closed toll day {day_id} not found")
        self.day_id = day_id


class TollDayNotOverError(TollingError):
    """A day is closed after its end, at 24:00 in Vietnam; what there is so far can be looked at.

    Attributes:
        has_begun: ``False`` for a day that lies in the future.
    """

    def __init__(self, day: date, *, has_begun: bool) -> None:
        super().__init__(f"{day} {'is not over yet' if has_begun else 'has not begun'}")
        self.day = day
        self.has_begun = has_begun


class FileFault(StrEnum):
    """What can be wrong in a file, for pages that say it in their language."""

    PROVIDER = "provider"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    EMPTY = "empty"
    TOO_MANY_ROWS = "too_many_rows"
    COLUMNS = "columns"
    CELLS = "cells"
    CROSSING_ID = "crossing_id"
    ACCOUNT_NUMBER = "account_number"
    DEBITED_AT = "debited_at"
    AMOUNT_DONG = "amount_dong"
    OTHER_DAY = "other_day"
    OTHER_CROSSING = "other_crossing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """What is wrong in a file. ``line`` counts from 1; ``None`` concerns the whole file."""

    line: int | None
    fault: FileFault
    what: str

    def __str__(self) -> str:
        return self.what if self.line is None else f"line {self.line}: {self.what}"


class ProviderFileError(TollingError):
    """A provider's file can't be taken; nothing of it was kept.

    Attributes:
        problems: In order of the lines; the first ones when there are many.
        problems_count: How many there are.
    """

    def __init__(self, problems: tuple[FileProblem, ...], *, problems_count: int) -> None:
        listed = "; ".join(map(str, problems))
        more = problems_count - len(problems)
        super().__init__(
            f"the provider's file can't be taken: {listed}{f'; and {more} more' if more else ''}"
        )
        self.problems = problems
        self.problems_count = problems_count
