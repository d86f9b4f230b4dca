# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a tag reader says, and how it is to be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class TagAnswer:
    """One report of a reader about one tag.

    Attributes:
        epc: The tag's code, upper-case hex.
        antenna: Antenna that heard it, from 1.
        rssi_dbm: Strength; ``None`` when the reader does not tell.
        reads: How often the tag answered in this report, at least 1.
        seen_at: Aware UTC time on the device's clock.
    """

    epc: str
    antenna: int
    rssi_dbm: float | None
    reads: int
    seen_at: datetime


class TagReader(Protocol):
    """A connected reader that reports tags."""

    def poll(self, *, timeout_s: float) -> Sequence[TagAnswer]:
        """Answers that came, oldest first; none when the time is over.

        Raises:
            ReaderError: The reader is lost, or refuses.
        """

    def close(self) -> None:
        """Let the reader go; never raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRules:
    """When answers of one tag are one passage.

    Attributes:
        reader_id: The reader.
        lanes: Lane of each antenna that is listened to; ``None`` for an antenna without one.
        rssi_min_dbm: Weaker answers are left out; ``None`` takes all. Higher keeps tags of the
            neighbouring lane out and may miss a badly mounted tag.
        gap: A tag that is silent for so long has passed. Higher joins two passages of one vehicle
            that comes back at once, lower makes two of one whose tag is hidden for a moment.
        told_after: A tag that answers for so long is told although it still answers, so that a
            vehicle standing in the lane is known at the barrier. Higher finds stronger answers.
        open_max: Tags kept at a time; above it the one that was silent longest is told early.
    """

    reader_id: str
    lanes: Mapping[int, int | None]
    rssi_min_dbm: float | None
    gap: timedelta
    told_after: timedelta
    open_max: int

    def __post_init__(self) -> None:
        if self.open_max < 1:
            raise ValueError("at least one tag must fit")
        if min(self.gap, self.told_after) <= timedelta(0):
            raise ValueError("gap and told_after must be positive")
