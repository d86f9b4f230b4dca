# SPDX-License-Identifier: AGPL-3.0-or-later
"""How sure a figure is.

Shares have Wilson's interval, which is honest near 0 and 1 and for few trials;
every other figure is computed again on drawn pictures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Z_95_PERCENT: Final = 1.959963984540054
RESAMPLES: Final = 300
_SEED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How often something came true.

    Attributes:
        successes: How often, 0 to ``trials``.
        trials: Out of how many; 0 means nothing is known.
    """

    successes: int
    trials: int

    def __post_init__(self) -> None:
        """Refuse more successes than trials."""
        if not 0 <= self.successes <= self.trials:
            raise ValueError(f"{self.successes=} must lie in 0 to {self.trials=}")

    @property
    def value(self) -> float | None:
        """The share, 0 to 1; ``None`` without trials."""
        return self.successes / self.trials if self.trials else None

    @property
    def interval_95(self) -> tuple[float, float]:
        """Wilson's 95 % interval, low and high; all of 0 to 1 without trials."""
        if not self.trials:
            return 0.0, 1.0
        share, trials, z = self.successes / self.trials, self.trials, Z_95_PERCENT
        centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
        half = (z / (1 + z * z / trials)) * math.sqrt(
            share * (1 - share) / trials + z * z / (4 * trials * trials)
        )
        low = 0.0 if self.successes == 0 else max(0.0, centre - half)
        high = 1.0 if self.successes == trials else min(1.0, centre + half)
        return low, high

    def __str__(self) -> str:
        if self.value is None:
            return "no data"
        low, high = self.interval_95
        return f"{self.value:.1%} [{low:.1%}, {high:.1%}] of {self.trials}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure that is no share of trials, with its 95 % interval.

    Attributes:
        value: The figure; ``None`` when nothing is known.
        low_95: Lower end of the interval.
        high_95: Upper end of the interval.
        trials: What it rests on: pictures, crops or tracks.
    """

    value: float | None
    low_95: float | None
    high_95: float | None
    trials: int

    def __str__(self) -> str:
        if self.value is None or self.low_95 is None or self.high_95 is None:
            return "no data"
        return f"{self.value:.4f} [{self.low_95:.4f}, {self.high_95:.4f}] of {self.trials}"


def bootstrap_estimate(
    figure: Callable[[NDArray[np.intp]], float | None],
    *,
    units: int,
    resamples: int = RESAMPLES,
    seed: int = _SEED,
) -> Estimate:
    """A figure with the interval that drawing its units again gives.

    Args:
        figure: Takes how often each unit counts, shape ``(units,)``, and gives
            the figure; ``None`` where these units give none.
        units: What is independent of each other: pictures, plates or tracks.
        resamples: How often they are drawn again.
        seed: The same seed gives the same interval.

    Returns:
        Figure over all units once, and the 2.5th and 97.5th percentile of
        those over the drawn ones.
    """
    value = figure(np.ones(units, dtype=np.intp)) if units else None
    if value is None:
        return Estimate(value=None, low_95=None, high_95=None, trials=units)
    rng = np.random.default_rng(seed)
    drawn = [
        figure(np.bincount(rng.integers(units, size=units), minlength=units))
        for _ in range(resamples)
    ]
    known = [one for one in drawn if one is not None]
    low, high = np.percentile(known, (2.5, 97.5)) if known else (value, value)
    return Estimate(value=value, low_95=float(low), high_95=float(high), trials=units)
