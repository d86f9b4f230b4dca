# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a time that a device states can be true."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

LATE_AFTER: Final = timedelta(minutes=5)


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
        age_max: Furthest behind the centre. Higher accepts older outboxes, and clocks that fell
            back further.
        recording_age_max: The same for recordings, which may be old without any clock being wrong.
        late_after: An event that is older when it is stored no longer is live. Higher lets alerts
            be raised after longer trouble; lower takes them from devices whose clocks are slow.
    """

    skew_max: timedelta
    age_max: timedelta
    recording_age_max: timedelta
    late_after: timedelta = LATE_AFTER

    def __post_init__(self) -> None:
        if self.skew_max < timedelta(0) or not timedelta(0) < self.age_max <= (
            self.recording_age_max
        ):
            raise ValueError("need skew_max >= 0 and recording_age_max >= age_max > 0")
        if self.late_after <= timedelta(0):
            raise ValueError("need late_after > 0")

    def judge(self, stated_at: datetime, *, now: datetime) -> TimeVerdict:
        """Compare an aware time with the centre's clock; the limits themselves are plausible."""
        return self._judge(stated_at, now=now, age_max=self.age_max)

    def judge_recording(self, stated_at: datetime, *, now: datetime) -> TimeVerdict:
        """The same for a time that comes from a recording and not from a device's clock."""
        return self._judge(stated_at, now=now, age_max=self.recording_age_max)

    def _judge(self, stated_at: datetime, *, now: datetime, age_max: timedelta) -> TimeVerdict:
        """Compare an aware time with the centre's clock."""
        if stated_at > now + self.skew_max:
            return TimeVerdict.IN_FUTURE
        if stated_at < now - age_max:
            return TimeVerdict.TOO_OLD
        return TimeVerdict.PLAUSIBLE
