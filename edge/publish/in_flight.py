# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which events were sent over one connection, and which go next: live ones before a backlog.

Events go out in the order of their numbers, until more wait than a window holds. From then on two
lanes share the window: what is captured from now on goes at once, ahead of the backlog, which
follows from its lowest number. Acknowledgements name the highest number without a gap, so nothing
is forgotten early, whatever was sent ahead.
"""

import random
from dataclasses import dataclass
from typing import Final

from edge.publish.backoff import Backoff

LONGEST_ACK_TIMEOUT_S: Final = 300.0
STRETCHES_MAX: Final = 64
"""Most stretches sent ahead at a time. The centre remembers each as a hole until it is filled."""
HALVINGS_MAX: Final = 6
LIVE_PART: Final = 2
"""This part of the window is kept for live events while a backlog waits. Higher: less for them."""
BACKLOG_PART_MIN: Final = 8
"""This part is left to the backlog where live events come faster than they go. Higher: less for it.
"""
LAG_WINDOWS_MAX: Final = 4
"""So many windows the live lane may lag before it leaves what it has not sent to the backlog.
Higher: after a second outage what is captured goes out later."""


@dataclass(kw_only=True)
class _Stretch:
    """Numbers from ``first`` to ``last`` that were sent ahead of the backlog; may be empty."""

    first: int
    last: int


class InFlight:
    """The window of the connection; lives in the publisher's thread."""

    def __init__(self, *, window: int, timeout_s: float) -> None:
        """Nothing is sent yet.

        Args:
            window: Most events sent and not acknowledged.
            timeout_s: Wait for an acknowledgement before everything is sent again.
        """
        self.acknowledged_seq = 0
        self.sent_seq = 0
        self.deadline_s: float | None = None
        self._window = window
        self._timeout_s = timeout_s
        self._ahead: list[_Stretch] = []
        self._credit = 0
        self._lag = 0
        self._live_part = window // LIVE_PART
        self._timeouts = 0

    @property
    def live_seq(self) -> int:
        """The live lane goes on after this number; meaningful with ``live_room``."""
        return self._ahead[-1].last if self._ahead else self.sent_seq

    @property
    def live_room(self) -> int:
        """How many live events may go ahead now; 0 without a backlog."""
        return self._credit if self._ahead else 0

    @property
    def room(self) -> int:
        """How many events may go in order after ``sent_seq`` now."""
        size = max(1, self._window >> self._timeouts)
        if not self._ahead:
            return max(0, size - (self.sent_seq - self.acknowledged_seq))
        share = max(1, size // BACKLOG_PART_MIN, size - self._live_part)
        room = share - (self.sent_seq - self.acknowledged_seq)
        return max(0, min(room, self._ahead[0].first - 1 - self.sent_seq))

    def look_ahead(self, *, newest_seq: int) -> None:
        """Let the live lane begin behind the newest event when the lane that should carry it lags.

        Args:
            newest_seq: Highest number in the outbox.
        """
        self._lag = newest_seq - self.live_seq
        is_used = bool(self._ahead) and self._ahead[-1].last >= self._ahead[-1].first
        lag_max = self._window * (LAG_WINDOWS_MAX if is_used else 1)
        if self._lag <= lag_max or len(self._ahead) == STRETCHES_MAX:
            return
        self._lag = 0
        if self._ahead and not is_used:
            self._ahead.pop()
        if not self._ahead:
            self._refill()
        self._ahead.append(_Stretch(first=newest_seq + 1, last=newest_seq))

    def is_overdue(self, now_s: float) -> bool:
        """Whether an acknowledgement should have come by now."""
        return self.deadline_s is not None and now_s >= self.deadline_s

    def sent(self, seq: int, *, now_s: float, rng: random.Random) -> None:
        """The next event in order went out."""
        self.sent_seq = seq
        self._join()
        self._start_clock_if_idle(now_s=now_s, rng=rng)

    def sent_ahead(self, seq: int, *, now_s: float, rng: random.Random) -> None:
        """The next live event went out."""
        self._ahead[-1].last = seq
        self._credit -= 1
        self._lag -= 1
        self._start_clock_if_idle(now_s=now_s, rng=rng)

    def acknowledged(self, seq: int, *, now_s: float, rng: random.Random) -> None:
        """The centre has everything up to ``seq``."""
        if seq <= self.acknowledged_seq:
            return
        self.acknowledged_seq = seq
        self.sent_seq = max(self.sent_seq, seq)
        self._timeouts = 0
        self._refill()
        self._join()
        self.deadline_s = None
        if self.sent_seq > self.acknowledged_seq or self._ahead:
            self._start_clock_if_idle(now_s=now_s, rng=rng)

    def repeat(self) -> None:
        """Nothing was acknowledged in time: everything goes again, fewer at a time, later."""
        self._timeouts = min(self._timeouts + 1, HALVINGS_MAX)
        self._begin_again()
        self._credit = 0

    def reconnect(self) -> None:
        """Nothing is in flight on a new connection: everything goes again."""
        self._timeouts = 0
        self._begin_again()
        self._refill()

    def _begin_again(self) -> None:
        """The backlog goes again from the last acknowledged number, the live lane goes on.

        What was sent ahead belongs to the backlog then, since it may have been lost; what the live
        lane had still to send would wait behind the whole backlog if it did so too.
        """
        live_seq = self.live_seq
        has_lanes = bool(self._ahead)
        self.sent_seq = self.acknowledged_seq
        self.deadline_s = None
        self._ahead = [_Stretch(first=live_seq + 1, last=live_seq)] if has_lanes else []
        self._join()

    def _refill(self) -> None:
        """The centre commits: another part of a window of live events may go ahead.

        It is larger while they come faster than they went, so that none has to wait long.
        """
        size = self._window >> self._timeouts
        usual = size // LIVE_PART
        self._live_part = size - size // BACKLOG_PART_MIN if self._lag > usual else usual
        self._credit = max(1, self._live_part)

    def _join(self) -> None:
        """Leap over what was sent ahead as soon as the backlog before it is sent."""
        while self._ahead and self.sent_seq >= self._ahead[0].first - 1:
            self.sent_seq = max(self.sent_seq, self._ahead.pop(0).last)

    def _start_clock_if_idle(self, *, now_s: float, rng: random.Random) -> None:
        """Wait for an acknowledgement from now on, longer after every one that did not come."""
        if self.deadline_s is not None:
            return
        patience = Backoff(
            first_s=self._timeout_s, longest_s=max(self._timeout_s, LONGEST_ACK_TIMEOUT_S)
        )
        # Jitter lies between half and all; at least the whole time shall be waited.
        self.deadline_s = now_s + 2 * patience.wait_s(self._timeouts + 1, rng=rng)
