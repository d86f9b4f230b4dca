# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sets of sequence numbers as PostgreSQL's ``int8multirange``."""

from psycopg.types.multirange import Int8Multirange, Multirange
from psycopg.types.range import Range

from central.domain.sequences import SeqRange, SeqSet


def seq_set(stored: Multirange[int]) -> SeqSet:
    """A set from its column; PostgreSQL gives half-open ranges, ascending and joined."""
    ranges: list[SeqRange] = []
    for each in stored:
        if each.lower is None or each.upper is None:
            raise ValueError("a set of sequence numbers has two ends")
        ranges.append(SeqRange(first=each.lower, last=each.upper - 1))
    return SeqSet(ranges=tuple(ranges))


def multirange(numbers: SeqSet) -> Int8Multirange:
    """A set as it is bound to a query."""
    return Int8Multirange([Range(each.first, each.last + 1) for each in numbers.ranges])
