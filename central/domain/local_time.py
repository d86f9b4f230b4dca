# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vietnam's clock: instants are UTC everywhere, and days are days in Vietnam.

The zone has had one offset, +07:00, since 1975 and no summer time, so a day always has 24 hours.
"""

from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

LOCAL_ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def local_date(instant: datetime) -> date:
    """The day in Vietnam on which an aware instant lies.

    Raises:
        ValueError: The instant is naive: which day it means can't be known.
    """
    return to_local(instant).date()


def start_of_local_day(day: date) -> datetime:
    """The first instant of a day in Vietnam, with Vietnam's offset."""
    return datetime.combine(day, time.min, tzinfo=LOCAL_ZONE)


def to_local(instant: datetime) -> datetime:
    """The same aware instant on Vietnam's clock.

    Raises:
        ValueError: The instant is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("need an aware instant")
    return instant.astimezone(LOCAL_ZONE)


def terminal_time(instant: datetime | None) -> str:
    """A time for a table at the terminal, on Vietnam's clock; a hyphen for never."""
    return "-" if instant is None else to_local(instant).strftime("%d/%m/%Y %H:%M:%S")
