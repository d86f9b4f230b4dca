# SPDX-License-Identifier: AGPL-3.0-or-later
"""How sure a share is: Wilson's interval, which is honest near 0 and 1 and for few trials."""

import math
from dataclasses import dataclass
from typing import Final

Z_95_PERCENT: Final = 1.959963984540054


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
