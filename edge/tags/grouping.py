# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes one tag read of the many answers that a tag gives while its vehicle passes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edge.stages import TagRead
from edge.tags.types import GroupingRules, TagAnswer

CODE_DIGITS_MIN: Final = 8
CODE_DIGITS_MAX: Final = 64
"""No toll tag has a shorter or longer code; goods on the road have."""


@dataclass(slots=True, kw_only=True)
class _OpenTag:
    """A tag that is passing; mutable, lives as long as the tag answers."""

    strongest: TagAnswer
    first: TagAnswer
    last: TagAnswer
    reads: int
    first_s: float
    last_s: float
    is_told: bool = False


class TagGrouping:
    """Groups the answers of one reader; used by one thread.

    Antennas of the same lane count as one place, so that a lane with two antennas does not see
    every vehicle twice. A tag is told once: when it falls silent, when it has answered for long
    enough, or when room is needed. Later answers without a gap belong to the same passage.

    Silence is measured by monotonic time, so that a clock being set does not cut passages.
    """

    def __init__(self, rules: GroupingRules) -> None:
        self._rules = rules
        self._gap_s = rules.gap.total_seconds()
        self._told_after_s = rules.told_after.total_seconds()
        # In order of the last answer, the one that is silent longest first.
        self._open: dict[tuple[str, int, str], _OpenTag] = {}
        self.ignored = 0
        """Answers left out: too weak, of an antenna that nobody listens to, or no code of a toll
        tag."""

    @property
    def open_tags(self) -> int:
        """Tags that are passing now."""
        return len(self._open)

    def add(self, answers: Iterable[TagAnswer], *, now_s: float) -> list[TagRead]:
        """Take answers and return the tag reads that are due by now, in order of their end.

        Args:
            answers: In order of arrival; may be empty.
            now_s: Monotonic time in seconds.
        """
        due = self._close_silent(now_s)
        for answer in answers:
            due.extend(self._add(answer, now_s))
        for tag in self._open.values():
            if not tag.is_told and now_s - tag.first_s >= self._told_after_s:
                due.append(self._tell(tag))
        return due

    def finish(self) -> list[TagRead]:
        """Tell every tag that was not told, and forget all: nobody listens any more."""
        due = [self._tell(tag) for tag in self._open.values() if not tag.is_told]
        self._open.clear()
        return due

    def _add(self, answer: TagAnswer, now_s: float) -> list[TagRead]:
        """Take one answer; returns what had to make room for it."""
        if not self._is_wanted(answer):
            self.ignored += 1
            return []
        key = self._key(answer)
        tag = self._open.pop(key, None)
        due: list[TagRead] = []
        if tag is None:
            due = self._make_room()
            tag = _OpenTag(
                strongest=answer, first=answer, last=answer, reads=0, first_s=now_s, last_s=now_s
            )
        tag.reads += answer.reads
        tag.last_s = now_s
        tag.first = min(tag.first, answer, key=_seen_at)
        tag.last = max(tag.last, answer, key=_seen_at)
        if _strength(answer) > _strength(tag.strongest):
            tag.strongest = answer
        self._open[key] = tag
        return due

    def _is_wanted(self, answer: TagAnswer) -> bool:
        if answer.antenna not in self._rules.lanes:
            return False
        digits = len(answer.epc)
        if not CODE_DIGITS_MIN <= digits <= CODE_DIGITS_MAX or digits % 2:
            return False
        least_dbm = self._rules.rssi_min_dbm
        return least_dbm is None or answer.rssi_dbm is None or answer.rssi_dbm >= least_dbm

    def _key(self, answer: TagAnswer) -> tuple[str, int, str]:
        """Which passage an answer belongs to: the tag at one place."""
        lane = self._rules.lanes[answer.antenna]
        place = ("antenna", answer.antenna) if lane is None else ("lane", lane)
        return (*place, answer.epc)

    def _close_silent(self, now_s: float) -> list[TagRead]:
        silent = [key for key, tag in self._open.items() if now_s - tag.last_s >= self._gap_s]
        return [self._tell(tag) for tag in map(self._open.pop, silent) if not tag.is_told]

    def _make_room(self) -> list[TagRead]:
        if len(self._open) < self._rules.open_max:
            return []
        tag = self._open.pop(next(iter(self._open)))
        return [] if tag.is_told else [self._tell(tag)]

    def _tell(self, tag: _OpenTag) -> TagRead:
        tag.is_told = True
        best = tag.strongest
        return TagRead(
            reader_id=self._rules.reader_id,
            lane=self._rules.lanes[best.antenna],
            epc=best.epc,
            antenna=best.antenna,
            rssi_dbm=best.rssi_dbm,
            reads=tag.reads,
            captured_at=best.seen_at,
            first_seen_at=tag.first.seen_at,
            last_seen_at=tag.last.seen_at,
        )


def _seen_at(answer: TagAnswer) -> float:
    return answer.seen_at.timestamp()


def _strength(answer: TagAnswer) -> float:
    """Strength to compare by; the first answer wins where readers do not tell."""
    return float("-inf") if answer.rssi_dbm is None else answer.rssi_dbm
