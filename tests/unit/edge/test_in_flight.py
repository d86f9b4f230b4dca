# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes next: live events before a backlog, never more than the window, nothing left out."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.publish.in_flight import HALVINGS_MAX, LAG_WINDOWS_MAX, InFlight

WINDOW = 8
RNG = random.Random(5)  # noqa: S311 - jitter


@dataclass
class Sending:
    """A device's events and the centre that commits them, as plain numbers."""

    flight: InFlight = field(default_factory=lambda: InFlight(window=WINDOW, timeout_s=1.0))
    newest: int = 0
    sent: list[int] = field(default_factory=list)
    committed: set[int] = field(default_factory=set)

    def send(self) -> list[int]:
        """One round, as the publisher does it."""
        before = len(self.sent)
        self.flight.look_ahead(newest_seq=self.newest)
        for seq in self._next(self.flight.live_seq, self.flight.live_room):
            self.flight.sent_ahead(seq, now_s=0.0, rng=RNG)
        for seq in self._next(self.flight.sent_seq, self.flight.room):
            self.flight.sent(seq, now_s=0.0, rng=RNG)
        return self.sent[before:]

    def commit(self, *seqs: int) -> None:
        """The centre commits events and acknowledges what has no gap before it."""
        self.committed.update(seqs)
        up_to = 0
        while up_to + 1 in self.committed:
            up_to += 1
        self.flight.acknowledged(up_to, now_s=0.0, rng=RNG)

    def _next(self, after_seq: int, room: int) -> list[int]:
        seqs = list(range(after_seq + 1, min(after_seq + room, self.newest) + 1))
        self.sent += seqs
        return seqs


def test_events_go_in_order_while_no_backlog_waits() -> None:
    sending = Sending(newest=3)

    first = sending.send()
    sending.newest = 20
    second = sending.send()

    assert first == [1, 2, 3]
    # Seventeen wait, more than the window: the first of them share it with what will come.
    assert second == [4]
    assert sending.send() == []


def test_what_is_captured_now_goes_before_the_backlog() -> None:
    sending = Sending(newest=100)

    begin = sending.send()
    sending.newest = 102
    after = sending.send()

    assert begin == [1, 2, 3, 4]
    assert after == [101, 102]


def test_the_backlog_follows_and_leaps_over_what_was_sent_ahead() -> None:
    sending = Sending(newest=12)
    sending.send()
    sending.newest = 14
    for _ in range(8):
        sending.commit(*sending.sent)
        sending.send()

    assert sending.sent == [1, 2, 3, 4, 13, 14, *range(5, 13)]
    assert sending.flight.acknowledged_seq == 14


def test_live_events_do_not_fill_the_broker_while_nothing_is_committed() -> None:
    sending = Sending(newest=100)
    for _ in range(50):
        sending.newest += 1
        sending.send()

    assert len(sending.sent) == WINDOW


@pytest.mark.parametrize("interrupt", [InFlight.repeat, InFlight.reconnect])
def test_live_events_go_on_before_the_backlog_when_everything_goes_again(
    interrupt: Callable[[InFlight], None],
) -> None:
    sending = Sending(newest=100)
    sending.send()
    sending.newest = 106
    sending.send()

    interrupt(sending.flight)
    sending.commit(1)
    after = sending.send()

    assert sending.sent[:8] == [1, 2, 3, 4, 101, 102, 103, 104]
    assert after == [105, 106, 2, 3, 4, 5]


def test_live_events_that_come_faster_than_they_go_get_the_larger_part() -> None:
    sending = Sending(newest=100)
    sending.send()
    sending.newest = 104
    sending.send()
    sending.newest = 120
    sending.send()

    sending.commit(1, 2, 3, 4, *range(101, 105))
    after = sending.send()

    assert after == [*range(105, 112), 5]
    assert len(after) == WINDOW


def test_a_live_lane_that_lags_leaves_nothing_to_the_backlog_until_it_lags_far() -> None:
    sending = Sending(newest=100)
    sending.send()
    sending.newest = 104
    sending.send()
    sending.newest = 104 + LAG_WINDOWS_MAX * WINDOW
    sending.commit(1)
    goes_on = sending.send()
    sending.newest += LAG_WINDOWS_MAX * WINDOW
    sending.send()
    sending.newest += 1
    sending.commit(2)
    begins_anew = sending.send()

    assert goes_on[0] == 105
    assert begins_anew[0] == sending.newest


def test_what_was_sent_ahead_goes_again_with_the_backlog() -> None:
    sending = Sending(newest=12)
    sending.send()
    sending.newest = 14
    sending.send()

    sending.flight.repeat()
    for _ in range(8):
        sending.commit(*sending.sent[6:])
        sending.send()

    assert set(sending.sent[6:]) == set(range(1, 15))


def test_everything_goes_again_after_a_while_but_fewer_at_a_time() -> None:
    sending = Sending(newest=4)
    sending.send()
    again = []
    for _ in range(HALVINGS_MAX):
        sending.flight.repeat()
        again.append(sending.send())

    assert again == [[1, 2, 3, 4], [1, 2], [1], [1], [1], [1]]


def test_an_acknowledgement_ends_the_patience() -> None:
    sending = Sending(newest=1)
    assert not sending.flight.is_overdue(1e9)

    sending.send()
    was_overdue = sending.flight.is_overdue(1e9)
    sending.commit(1)

    assert was_overdue
    assert not sending.flight.is_overdue(1e9)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("capture"), st.integers(1, 40)),
            st.tuples(st.just("commit"), st.integers(1, 100)),
            st.tuples(st.just("repeat"), st.just(0)),
            st.tuples(st.just("reconnect"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_everything_arrives_whatever_happens_and_nothing_goes_twice_without_need(
    steps: list[tuple[str, int]],
) -> None:
    sending, repeats = Sending(), 0
    for what, amount in steps:
        if what == "capture":
            sending.newest += amount
        elif what == "commit":
            sending.commit(*sending.sent[:amount])
        else:
            getattr(sending.flight, what)()
            repeats += 1
        sending.send()
        assert sending.flight.sent_seq <= sending.newest
    for _ in range(2 * sending.newest + 2):
        sending.commit(*sending.sent)
        sending.send()

    assert sending.committed == set(range(1, sending.newest + 1))
    if not repeats:
        assert len(sending.sent) == len(set(sending.sent))
