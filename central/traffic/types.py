# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about traffic over time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SLOTS_MAX: Final = 1500
"""Most slots of one answer. Higher: finer pictures of longer spans, and slower answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSlot:
    """Traffic of one slot of time.

    Attributes:
        plates_read: Passages whose plate was read.
        speed_kmh_median: ``None`` when no speed was measured.
        speed_kmh_85: Speed that 85 of 100 vehicles keep to; ``None`` as above.
        latency_s_median: From the camera's line to the commit; ``None`` when all were sent late.
        latency_s_99: What 99 of 100 passages stay within; ``None`` as above.
    """

    starts_at: datetime
    passages: int
    plates_read: int
    speed_kmh_median: float | None
    speed_kmh_85: float | None
    latency_s_median: float | None
    latency_s_99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSlot:
    """How many passed in one slot of time."""

    starts_at: datetime
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCount:
    """How many passed one site."""

    site_id: str
    passages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of time in slots of equal length.

    Attributes:
        since: First instant; slots begin at whole multiples of their length.
        until: First instant after it.
    """

    since: datetime
    until: datetime
    slot: timedelta

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None or self.since >= self.until:
            raise ValueError("need two aware instants in order")
        if self.slot <= timedelta(0) or self.slots > SLOTS_MAX:
            raise ValueError("the slots are too short or too many")

    @property
    def slots(self) -> int:
        """How many slots there are; the last may reach beyond the end."""
        return -((self.since - self.until) // self.slot)

    @property
    def starts(self) -> tuple[datetime, ...]:
        """Beginning of every slot."""
        return tuple(self.since + number * self.slot for number in range(self.slots))

    def before(self, length: timedelta) -> "Span":
        """The same span so much earlier."""
        return Span(since=self.since - length, until=self.until - length, slot=self.slot)
