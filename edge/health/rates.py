# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frames per second over a recent while."""

from collections import deque
from typing import Final

RATE_WINDOW_S: Final = 30.0
MARKS_MAX: Final = 128


class RateMeter:
    """Turns readings of a growing count into a rate."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque(maxlen=MARKS_MAX)

    def rate(self, count: int, *, now_s: float) -> float:
        """Events per second since the oldest remembered reading; 0 at the first one.

        Args:
            count: Count at this moment.
            now_s: Monotonic time in seconds.
        """
        while self._marks and now_s - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()
        self._marks.append((now_s, count))
        oldest_s, oldest_count = self._marks[0]
        elapsed_s = now_s - oldest_s
        return (count - oldest_count) / elapsed_s if elapsed_s > 0 else 0.0
