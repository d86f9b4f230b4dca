# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether one way is really better than another, or only luckier.

Exact McNemar test for two ways on the same cases, Fisher's exact test for two
shares of different cases, Holm's correction for many comparisons at once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.figures.intervals import Estimate, Share, bootstrap_estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Two ways on the same cases.

    Attributes:
        difference: Share right of the first minus that of the second.
        only_first: Cases that only the first way has right.
        only_second: Cases that only the second way has right.
        p_value: Two-sided, exact McNemar.
    """

    difference: Estimate
    only_first: int
    only_second: int
    p_value: float


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Compare two ways on the same cases; the interval draws cases."""
    ones, twos = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    if len(ones) != len(twos):
        raise ValueError("both ways need the same cases")
    only_first, only_second = int((ones > twos).sum()), int((twos > ones).sum())
    gains = ones - twos
    return Paired(
        difference=bootstrap_estimate(lambda counts: _mean(gains, counts), units=len(gains)),
        only_first=only_first,
        only_second=only_second,
        p_value=mcnemar_p(only_first=only_first, only_second=only_second),
    )


def mcnemar_p(*, only_first: int, only_second: int) -> float:
    """Probability of a split at least this uneven if both ways are equally good; two-sided."""
    total = only_first + only_second
    return min(1.0, 2 * _at_most(min(only_first, only_second), total)) if total else 1.0


def fall_p(*, lost: int, gained: int) -> float:
    """Probability of at least so many losses if losing and gaining are equally likely.

    Args:
        lost: Cases that were right before and are wrong now.
        gained: The other way round.
    """
    total = lost + gained
    return _at_most(gained, total) if total else 1.0


def lower_share_p(now: Share, before: Share) -> float:
    """Probability of a share as low as ``now`` if nothing changed; Fisher's exact test.

    Shares of different pictures; 1 where one of them has no trials.
    """
    if not now.trials or not before.trials:
        return 1.0
    right, total = now.successes + before.successes, now.trials + before.trials
    ways = math.comb(total, right)
    lowest = max(0, right - before.trials)
    return min(
        1.0,
        sum(
            math.comb(now.trials, count) * math.comb(before.trials, right - count) / ways
            for count in range(lowest, now.successes + 1)
        ),
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's correction: values that may each be held against one common limit."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = highest
    return tuple(corrected)


def _at_most(count: int, total: int) -> float:
    """Probability of at most so many heads in ``total`` throws of a fair coin."""
    return float(sum(math.comb(total, one) for one in range(count + 1)) / 2**total)


def _mean(values: NDArray[np.float64], counts: NDArray[np.intp]) -> float | None:
    return float(counts @ values / counts.sum()) if counts.sum() else None
