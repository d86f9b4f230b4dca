# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a time that a device states can be true."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class TimeVerdict(StrEnum):
    """What the centre thinks of a stated time."""

    PLAUSIBLE = "plausible"
    IN_FUTURE = "in_future"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How far a stated time may lie from the centre's clock.

    Attributes:
        skew_max: Furthest ahead of the centre. Higher forgives worse device clocks; lower keeps
            wrong times out of searches.
        age_max: Furthest behind the centre. Higher accepts older outboxes and recordings.
    """

    skew_max: timedelta
    age_max: timedelta

    def __post_init__(self) -> None:
        if self.skew_max < timedelta(0) or self.age_max <= timedelta(0):
            raise ValueError("need skew_max >= 0 and age_max > 0")

    def judge(self, stated_at: datetime, *, now: datetime) -> TimeVerdict:
        """Compare an aware time with the centre's clock; the limits themselves are plausible."""
        if stated_at > now + self.skew_max:
            return TimeVerdict.IN_FUTURE
        if stated_at < now - self.age_max:
            return TimeVerdict.TOO_OLD
        return TimeVerdict.PLAUSIBLE
