# SPDX-License-Identifier: AGPL-3.0-or-later
"""Waiting times between attempts: they grow, have an end, and differ between devices."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Growth of a waiting time.

    Attributes:
        first_s: Wait after the first failure. Higher spares a broken server and mends later.
        longest_s: The wait stops growing here.
        growth: Factor from one failure to the next, above 1.
    """

    first_s: float
    longest_s: float
    growth: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.first_s <= self.longest_s or self.growth <= 1:
            raise ValueError("need 0 < first_s <= longest_s and growth > 1")

    def wait_s(self, failures: int, *, rng: random.Random) -> float:
        """Wait after so many failures in a row: between half and all of the grown time.

        Args:
            failures: At least 1.
            rng: Source of the jitter, so that devices don't come back all at once.
        """
        grown = self.first_s
        for _ in range(failures - 1):
            grown = min(grown * self.growth, self.longest_s)
            if grown == self.longest_s:
                break
        return grown * rng.uniform(0.5, 1.0)
