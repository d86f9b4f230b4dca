# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which sequence numbers of an outbox the centre holds, and what follows from it.

A device numbers its events 1, 2, 3 … without a gap. What the centre holds is therefore a few
ranges, normally one; the first one decides what may be acknowledged, the holes are what is missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

FIRST_SEQ: Final = 1
RANGES_MAX: Final = 4096
"""Most holes kept per outbox. A device that leaves more sends its numbers at random."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SeqRange:
    """Numbers from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not FIRST_SEQ <= self.first <= self.last:
            raise ValueError(f"need 1 <= first <= last, got {self.first=} {self.last=}")

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SeqSet:
    """A set of sequence numbers as ascending ranges that neither overlap nor touch."""

    ranges: tuple[SeqRange, ...] = ()

    def __post_init__(self) -> None:
        for earlier, later in zip(self.ranges, self.ranges[1:], strict=False):
            if later.first <= earlier.last + 1:
                raise ValueError("ranges must ascend with a hole between them")

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Self:
        """The set of these numbers, in any order, repeats allowed."""
        ranges: list[SeqRange] = []
        first = last = 0
        for number in sorted(set(numbers)):
            if number != last + 1 or not first:
                if first:
                    ranges.append(SeqRange(first=first, last=last))
                first = number
            last = number
        if first:
            ranges.append(SeqRange(first=first, last=last))
        return cls(ranges=tuple(ranges))

    def __contains__(self, number: int) -> bool:
        low, high = 0, len(self.ranges)
        while low < high:
            middle = (low + high) // 2
            if self.ranges[middle].last < number:
                low = middle + 1
            else:
                high = middle
        return low < len(self.ranges) and self.ranges[low].first <= number

    def __len__(self) -> int:
        return sum(len(each) for each in self.ranges)

    def union(self, other: Self) -> Self:
        """Numbers that are in either set."""
        return type(self)(ranges=_merged((*self.ranges, *other.ranges)))

    @property
    def gap_free_up_to(self) -> int:
        """Highest number up to which nothing is missing; 0 when number 1 is missing."""
        if not self.ranges or self.ranges[0].first != FIRST_SEQ:
            return 0
        return self.ranges[0].last

    @property
    def last(self) -> int:
        """Highest number; 0 when empty."""
        return self.ranges[-1].last if self.ranges else 0

    def missing(self, *, up_to: int) -> tuple[SeqRange, ...]:
        """The holes from 1 to ``up_to``, ascending."""
        holes: list[SeqRange] = []
        expected = FIRST_SEQ
        for each in self.ranges:
            if each.first > up_to:
                break
            if each.first > expected:
                holes.append(SeqRange(first=expected, last=each.first - 1))
            expected = each.last + 1
        if expected <= up_to:
            holes.append(SeqRange(first=expected, last=up_to))
        return tuple(holes)


def _merged(ranges: Iterable[SeqRange]) -> tuple[SeqRange, ...]:
    """Ascending ranges in which overlapping and touching ones are joined."""
    joined: list[SeqRange] = []
    for each in sorted(ranges):
        if joined and each.first <= joined[-1].last + 1:
            if each.last > joined[-1].last:
                joined[-1] = SeqRange(first=joined[-1].first, last=each.last)
        else:
            joined.append(each)
    return tuple(joined)
