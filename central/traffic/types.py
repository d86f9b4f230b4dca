# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about traffic over time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from central.domain.local_time import local_date, start_of_local_day

SLOTS_MAX: Final = 1500
"""Most slots of one answer. Higher: finer pictures of longer spans, and slower answers."""

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """How many passed in one slot of time, a slot without any included.

    Attributes:
        plates_read: Passages whose plate was read.
        late: Passages that their devices sent late.
        motorcycles: By the class that the camera saw; what it could not tell is in none.
    """

    starts_at: datetime
    passages: int
    plates_read: int
    late: int
    motorcycles: int
    cars: int
    buses: int
    trucks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyCount:
    """How many went from one site to another.

    Attributes:
        journeys: There and nowhere further; a vehicle may have made several.
        vehicles: Different plates.
        median_duration_s: From the first passage to the last.
    """

    origin_id: str
    destination_id: str
    journeys: int
    vehicles: int
    median_duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSlot(Passed):
    """Traffic of one slot of time.

    Attributes:
        speed_kmh_median: ``None`` when no speed was measured.
        speed_kmh_85: Speed that 85 of 100 vehicles keep to; ``None`` as above.
        latency_s_median: From the camera's line to the commit; ``None`` when all were sent late.
        latency_s_99: What 99 of 100 passages stay within; ``None`` as above.
    """

    speed_kmh_median: float | None
    speed_kmh_85: float | None
    latency_s_median: float | None
    latency_s_99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCount:
    """How many passed one site."""

    site_id: str
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of time in slots of equal length: whole minutes, whole hours, or days in Vietnam.

    Attributes:
        since: First instant; slots begin at whole multiples of their length.
        until: First instant after it.

    Raises:
        ValueError: The instants or the slots are none that can be counted.
    """

    since: datetime
    until: datetime
    slot: timedelta

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise ValueError("need two aware instants in order")
        if self.slot <= timedelta(0) or self.slots > SLOTS_MAX:
            raise ValueError("the slots are too short or too many")
        unit = DAY if self.slot >= DAY else HOUR if self.slot >= HOUR else MINUTE
        if self.slot % unit or self.slot > DAY:
            raise ValueError("a slot has whole minutes, whole hours, or one day")
        if (self.since - start_of_local_day(local_date(self.since))) % self.slot:
            raise ValueError("a slot begins at a multiple of its length after midnight")

    @property
    def slots(self) -> int:
        """How many slots there are; the last may reach beyond the end."""
        return -((self.since - self.until) // self.slot)

    @property
    def starts(self) -> tuple[datetime, ...]:
        """Beginning of every slot."""
        return tuple(self.since + number * self.slot for number in range(self.slots))

    @property
    def days(self) -> tuple[date, date]:
        """First and last day in Vietnam that the span touches."""
        return local_date(self.since), local_date(self.until - timedelta(microseconds=1))

    def before(self, length: timedelta) -> "Span":
        """The same span so much earlier."""
        return Span(since=self.since - length, until=self.until - length, slot=self.slot)
