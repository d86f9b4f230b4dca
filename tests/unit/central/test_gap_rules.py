# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rules by which a gap is explained, case by case, and that none is left without."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.completeness.explaining import explained
from central.completeness.types import (
    Explanation,
    Gap,
    Held,
    LossProof,
    NotedGap,
    OutboxFacts,
    Told,
)
from central.domain.sequences import SeqRange, SeqSet

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OUTBOX, NEXT_OUTBOX = UUID(int=1), UUID(int=2)
TOLD = Told(
    outbox_id=OUTBOX, last_seq=120, events=20, heard_at=NOW - timedelta(seconds=5), is_silent=False
)
FACTS = OutboxFacts(
    outbox_id=OUTBOX, first_received_at=NOW - 5 * HOUR, last_received_at=NOW - MINUTE, told=TOLD
)


def numbers(first: int, last: int) -> SeqSet:
    return SeqSet(ranges=(SeqRange(first=first, last=last),))


def short(gaps: tuple[Gap, ...]) -> list[tuple[int, int, str]]:
    """Gaps as first, last, and what shows the loss or else the explanation."""
    return [(gap.numbers.first, gap.numbers.last, gap.loss or gap.explanation) for gap in gaps]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # Heard, last number 120, 20 wait: 101 to 120 wait, up to 100 nothing does.
        (FACTS, [(90, 100, LossProof.FORGOTTEN), (101, 130, Explanation.IN_OUTBOX)]),
        # The same, but not heard for longer than two minutes: the rest waits since then.
        (
            replace(FACTS, told=replace(TOLD, heard_at=NOW - 3 * MINUTE)),
            [(90, 100, LossProof.FORGOTTEN), (101, 130, Explanation.OFFLINE)],
        ),
        # Marked as silent counts at once.
        (
            replace(FACTS, told=replace(TOLD, is_silent=True)),
            [(90, 100, LossProof.FORGOTTEN), (101, 130, Explanation.OFFLINE)],
        ),
        # Nothing waits: all that it numbered is gone, what it numbered since is not.
        (
            replace(FACTS, told=replace(TOLD, events=0)),
            [(90, 120, LossProof.FORGOTTEN), (121, 130, Explanation.IN_OUTBOX)],
        ),
        # The heartbeat tells of a later outbox.
        (
            replace(FACTS, told=replace(TOLD, outbox_id=NEXT_OUTBOX)),
            [(90, 130, LossProof.REPLACED)],
        ),
        # The heartbeat tells of an earlier outbox: this one began after it.
        (
            replace(
                FACTS,
                first_received_at=NOW - timedelta(seconds=1),
                last_received_at=NOW,
                told=replace(TOLD, outbox_id=NEXT_OUTBOX),
            ),
            [(90, 130, Explanation.IN_OUTBOX)],
        ),
        # It never sent a heartbeat, but an event a minute ago; and then none for an hour.
        (replace(FACTS, told=None), [(90, 130, Explanation.IN_OUTBOX)]),
        (
            replace(FACTS, told=None, last_received_at=NOW - HOUR),
            [(90, 130, Explanation.OFFLINE)],
        ),
        # A newer device says its last number in a way that can't be read: nothing is proved.
        (
            replace(FACTS, told=replace(TOLD, last_seq=None)),
            [(90, 130, Explanation.IN_OUTBOX)],
        ),
    ],
)
def test_what_the_newest_heartbeat_says_explains_a_gap(
    facts: OutboxFacts, expected: list[tuple[int, int, str]]
) -> None:
    assert short(explained(numbers(90, 130), (), facts, (), now=NOW)) == expected


def test_what_is_missed_for_longer_than_an_outbox_keeps_is_lost_whatever_the_device_says() -> None:
    old = NotedGap(
        numbers=SeqRange(first=101, last=105), noticed_at=NOW - 9 * HOUR, is_overdue=True
    )
    young = NotedGap(numbers=SeqRange(first=106, last=110), noticed_at=NOW - HOUR, is_overdue=False)

    gaps = explained(numbers(101, 115), (), FACTS, (old, young), now=NOW)

    assert short(gaps) == [(101, 105, LossProof.OVERDUE), (106, 115, Explanation.IN_OUTBOX)]
    assert [gap.since for gap in gaps] == [NOW - 9 * HOUR, NOW - HOUR]


def test_a_message_in_quarantine_explains_its_number_before_any_other_rule() -> None:
    held = [
        Held(id=7, seq=95, reason="unknown_camera", is_dropped=False, received_at=NOW - HOUR),
        Held(id=8, seq=96, reason="not_json", is_dropped=True, received_at=NOW - HOUR),
        Held(id=9, seq=80, reason="time_too_old", is_dropped=False, received_at=NOW - HOUR),
    ]

    gaps = explained(numbers(94, 97), held, FACTS, (), now=NOW)

    assert short(gaps) == [
        (80, 80, Explanation.QUARANTINED),
        (94, 94, LossProof.FORGOTTEN),
        (95, 95, Explanation.QUARANTINED),
        (96, 96, Explanation.DISCARDED),
        (97, 97, LossProof.FORGOTTEN),
    ]
    assert [gap.quarantine_id for gap in gaps] == [9, None, 7, 8, None]


@given(
    missing=st.sets(st.integers(1, 60), max_size=40),
    kept=st.sets(st.integers(1, 60), max_size=10),
    last_seq=st.none() | st.integers(0, 60),
    events=st.integers(0, 60),
    cuts=st.sets(st.integers(1, 61), max_size=8),
    silence=st.integers(0, 300),
)
def test_every_missing_number_has_exactly_one_explanation(
    *,
    missing: set[int],
    kept: set[int],
    last_seq: int | None,
    events: int,
    cuts: set[int],
    silence: int,
) -> None:
    told = replace(
        TOLD, last_seq=last_seq, events=events, heard_at=NOW - timedelta(seconds=silence)
    )
    borders = sorted(cuts)
    noted = [
        NotedGap(
            numbers=SeqRange(first=first, last=after - 1),
            noticed_at=NOW - first * MINUTE,
            is_overdue=first % 2 == 0,
        )
        for first, after in pairwise(borders)
    ]
    held = [
        Held(id=seq, seq=seq, reason="unknown_camera", is_dropped=False, received_at=NOW)
        for seq in kept
    ]

    gaps = explained(SeqSet.of(missing), held, replace(FACTS, told=told), noted, now=NOW)

    told_of = [seq for gap in gaps for seq in range(gap.numbers.first, gap.numbers.last + 1)]
    assert told_of == sorted(missing | kept)
