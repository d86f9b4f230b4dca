# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why a number that a device gave is no row: every gap has exactly one explanation.

An outbox gives the numbers 1, 2, 3 … and forgets them from the low end only, once the centre has
acknowledged their commit. So a heartbeat that says "my last number is 120, and 20 events wait"
says exactly which numbers wait: 101 to 120. The rules, the first that fits wins:

1. **Quarantined** or **discarded**: a message with the number is in quarantine, or was dropped out
   of it. It came, and it is no row.
2. **Lost, outbox replaced**: the device's newest heartbeat tells of another outbox, which came
   after this one. A device has one outbox; the numbers of an old one can't come any more.
3. **Lost, forgotten**: the newest heartbeat of this outbox says that the number does not wait in
   it any more, and it is not here.
4. **Lost, overdue**: the centre has missed the number for longer than an outbox may keep events
   (``…JOBS__OUTBOX_AGE_MAX``), whatever the device says.
5. **Offline**: the device's heartbeats have stopped. What it said last is that the number waits
   in it, or it never said anything; so it waits there since then.
6. **In the outbox**: the device is heard, and its newest heartbeat does not contradict.

When a number comes after all, its gap is gone, whatever its explanation was.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

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

SILENT_AFTER: Final = timedelta(minutes=2)
"""Heartbeats come every few seconds. Longer than this without one is silence even if nobody marked
it so. Higher: gaps count as in the outbox for longer; lower: weak links count as offline."""


def explained(
    missing: SeqSet,
    held_back: Iterable[Held],
    facts: OutboxFacts,
    noted: Sequence[NotedGap],
    *,
    now: datetime,
) -> tuple[Gap, ...]:
    """Every number that is no row, with its explanation; ascending, neighbours joined.

    Args:
        missing: Numbers that never came, or whose messages are in quarantine without having
            been counted as held.
        held_back: Messages in quarantine or dropped, with their numbers.
        facts: What is known of the outbox.
        noted: Since when the centre has missed which numbers; ascending, not overlapping.
        now: Aware time.
    """
    kept = {each.seq: each for each in held_back}
    gaps = [_of_quarantine(each) for each in kept.values()]
    for hole in missing.ranges:
        for rest in _without(hole, kept):
            for piece, note in _by_note(rest, noted):
                gaps.extend(_of_piece(piece, note, facts, now=now))
    gaps.sort(key=lambda gap: gap.numbers)
    return tuple(_joined(gaps))


def is_heard(told: Told | None, *, now: datetime) -> bool:
    """Whether heartbeats of a device come at present."""
    return told is not None and not told.is_silent and now - told.heard_at <= SILENT_AFTER


def _of_quarantine(held: Held) -> Gap:
    return Gap(
        numbers=SeqRange(first=held.seq, last=held.seq),
        explanation=Explanation.DISCARDED if held.is_dropped else Explanation.QUARANTINED,
        since=held.received_at,
        quarantine_id=held.id,
        reason=held.reason,
    )


def _of_piece(
    numbers: SeqRange, note: NotedGap | None, facts: OutboxFacts, *, now: datetime
) -> Iterator[Gap]:
    """Explanations of numbers of which no message is here, and that were noticed together."""
    told = facts.told
    noticed_at = note.noticed_at if note is not None else None
    if told is not None and _is_replaced(facts, told):
        yield Gap(
            numbers=numbers,
            explanation=Explanation.LOST,
            since=noticed_at,
            loss=LossProof.REPLACED,
        )
        return
    forgotten_up_to = _forgotten_up_to(facts)
    if numbers.first <= forgotten_up_to:
        yield Gap(
            numbers=SeqRange(first=numbers.first, last=min(numbers.last, forgotten_up_to)),
            explanation=Explanation.LOST,
            since=noticed_at,
            loss=LossProof.FORGOTTEN,
        )
    if numbers.last > forgotten_up_to:
        rest = SeqRange(first=max(numbers.first, forgotten_up_to + 1), last=numbers.last)
        yield _waiting(rest, note, facts, now=now)


def _waiting(numbers: SeqRange, note: NotedGap | None, facts: OutboxFacts, *, now: datetime) -> Gap:
    """The explanation of numbers that nothing shows to be gone from the device."""
    if note is not None and note.is_overdue:
        return Gap(
            numbers=numbers,
            explanation=Explanation.LOST,
            since=note.noticed_at,
            loss=LossProof.OVERDUE,
        )
    heard_at = _last_heard_at(facts)
    is_silent = facts.told is not None and facts.told.is_silent and facts.told.heard_at == heard_at
    if is_silent or now - heard_at > SILENT_AFTER:
        return Gap(numbers=numbers, explanation=Explanation.OFFLINE, since=heard_at)
    return Gap(
        numbers=numbers,
        explanation=Explanation.IN_OUTBOX,
        since=note.noticed_at if note is not None else None,
    )


def _last_heard_at(facts: OutboxFacts) -> datetime:
    """Newest sign of the outbox: its heartbeat, or an event when there is no heartbeat of it."""
    told = facts.told
    if told is None or told.outbox_id != facts.outbox_id:
        return facts.last_received_at
    return told.heard_at


def _is_replaced(facts: OutboxFacts, told: Told) -> bool:
    """Whether the device has another outbox by now, and not only an old heartbeat."""
    return told.outbox_id != facts.outbox_id and facts.first_received_at <= told.heard_at


def _forgotten_up_to(facts: OutboxFacts) -> int:
    """Highest number that the outbox says it has no more; 0 when it says nothing."""
    told = facts.told
    if told is None or told.outbox_id != facts.outbox_id or told.last_seq is None:
        return 0
    return max(told.last_seq - told.events, 0)


def _without(hole: SeqRange, kept: Mapping[int, Held]) -> Iterator[SeqRange]:
    """A hole without the numbers that are in quarantine."""
    first = hole.first
    for seq in sorted(seq for seq in kept if hole.first <= seq <= hole.last):
        if seq > first:
            yield SeqRange(first=first, last=seq - 1)
        first = seq + 1
    if first <= hole.last:
        yield SeqRange(first=first, last=hole.last)


def _by_note(
    hole: SeqRange, noted: Sequence[NotedGap]
) -> Iterator[tuple[SeqRange, NotedGap | None]]:
    """A hole cut where it was noticed at another time."""
    first = hole.first
    for note in noted:
        if note.numbers.last < first or note.numbers.first > hole.last:
            continue
        if note.numbers.first > first:
            yield SeqRange(first=first, last=note.numbers.first - 1), None
            first = note.numbers.first
        last = min(note.numbers.last, hole.last)
        yield SeqRange(first=first, last=last), note
        first = last + 1
    if first <= hole.last:
        yield SeqRange(first=first, last=hole.last), None


def _joined(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Ascending gaps in which neighbours with one explanation are one, with the earlier time."""
    last: Gap | None = None
    for gap in gaps:
        if last is not None and _may_join(last, gap):
            last = replace(
                last,
                numbers=SeqRange(first=last.numbers.first, last=gap.numbers.last),
                since=_earlier(last.since, gap.since),
            )
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def _may_join(one: Gap, next_one: Gap) -> bool:
    return (
        one.quarantine_id is None
        and next_one.quarantine_id is None
        and one.numbers.last + 1 == next_one.numbers.first
        and (one.explanation, one.loss) == (next_one.explanation, next_one.loss)
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
