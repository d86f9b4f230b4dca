# SPDX-License-Identifier: AGPL-3.0-or-later
"""Histograms of speeds and latencies: small, and they can be added up, unlike percentiles.

Hours and days keep these instead of their values. A percentile read from one is off by at most the
width of its class.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

SPEED_BOUNDS_KMH: Final = tuple(float(2 * step) for step in range(1, 101))
"""Classes of 2 km/h up to 200 km/h; what is faster is one class."""

LATENCY_BOUNDS_S: Final = tuple(round(0.01 * 10 ** (step / 10), 6) for step in range(51))
"""Ten classes to a factor of ten, from 10 ms to 1,000 s: each is a quarter wider than the last."""


def quantile(counts: Sequence[int], bounds: Sequence[float], *, share: float) -> float | None:
    """The value that a share of all values stays within, spread evenly inside its class.

    Args:
        counts: How many values fell below the first bound, between each two, and at or above the
            last one: one more than there are bounds.
        bounds: Ascending and positive.
        share: Between 0 and 1.

    Returns:
        ``None`` without any value; the last bound for what lies above it.

    Raises:
        ValueError: The counts do not fit the bounds, or the share is none.
    """
    if len(counts) != len(bounds) + 1 or not 0 <= share <= 1:
        raise ValueError(f"need a share and {len(bounds) + 1} counts")
    wanted = share * sum(counts)
    if not any(counts):
        return None
    seen = 0
    for count, (low, high) in zip(counts, pairwise((0.0, *bounds)), strict=False):
        if count and seen + count >= wanted:
            return low + (high - low) * max(0.0, wanted - seen) / count
        seen += count
    return bounds[-1]
