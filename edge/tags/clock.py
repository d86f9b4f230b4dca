# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tells a reader's times on the device's clock: readers' own clocks are often not set at all."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Final

OFFSETS_KEPT: Final = 256
"""More ride over longer delays on the way, fewer follow a reader's drifting clock sooner."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ReaderClock:
    """Learns how far a reader's clock is off from the reports that were on their way the shortest.

    A report arrives some time after it was made, never before: the smallest difference between
    arrival and stated time comes closest to the clocks' true difference.
    """

    def __init__(self) -> None:
        self._offsets: deque[timedelta] = deque(maxlen=OFFSETS_KEPT)

    def device_time(self, stated_us: int | None, *, arrived_at: datetime) -> datetime:
        """When something happened, by the device's clock.

        Args:
            stated_us: Microseconds since 1970 by the reader's clock; ``None`` when not stated.
            arrived_at: Aware UTC time at which the report came.

        Returns:
            Aware UTC time, never after ``arrived_at``.
        """
        if stated_us is None:
            return arrived_at
        try:
            stated_at = _EPOCH + timedelta(microseconds=stated_us)
        except OverflowError:
            return arrived_at
        self._offsets.append(arrived_at - stated_at)
        return min(arrived_at, arrived_at - (self._offsets[-1] - min(self._offsets)))
