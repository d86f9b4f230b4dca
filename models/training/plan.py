# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a stepwise training run is told, and how fast it learns at each step."""

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import DatasetError

MAX_STEPS: Final = 1_000_000
_LEAST_RATE: Final = 0.005
_LATER_PEAK: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """Everything that a run depends on, apart from the data.

    Attributes:
        seed: Of the weights and of every batch.
        cycles: Batches of each fall of the learning rate, one after the
            other. Later ones begin at half of the peak.
        batch_size: Plates per batch.
        real_share: Share of photographed plates; more follows the pool's
            cameras closer, less generalises better.
        learning_rate: Peak; higher learns faster until it diverges.
        weight_decay: Of AdamW.
        warmup_steps: Batches over which the learning rate rises.
        average_decay: Of the running mean of the weights, which is exported.
        checkpoint_every: Batches between checkpoints.
    """

    seed: int
    cycles: tuple[int, ...]
    batch_size: int
    real_share: float
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    average_decay: float
    checkpoint_every: int

    def __post_init__(self) -> None:
        """Refuse a plan that can not be run."""
        if not self.cycles or min(self.cycles) <= self.warmup_steps or self.steps > MAX_STEPS:
            raise ValueError("every cycle of a plan is longer than its warm-up")
        if self.warmup_steps < 1 or self.checkpoint_every < 1:
            raise ValueError("warmup_steps and checkpoint_every are at least 1")
        if not 0.0 <= self.real_share <= 1.0:
            raise ValueError("real_share lies in 0 to 1")

    @property
    def steps(self) -> int:
        """Batches of the whole run."""
        return sum(self.cycles)


def load_plan(path: Path) -> TrainingPlan:
    """Read a plan.

    Raises:
        DatasetError: The file is missing or is no plan.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return TrainingPlan(**(values | {"cycles": tuple(values["cycles"])}))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path.name} is no training plan: {error}") from error


def learning_rate_at(step: int, plan: TrainingPlan) -> float:
    """In every cycle a linear rise, then half a cosine down to nearly nothing."""
    peak, length = plan.learning_rate, plan.cycles[0]
    for following in plan.cycles[1:]:
        if step < length:
            break
        step -= length
        peak, length = plan.learning_rate * _LATER_PEAK, following
    if step < plan.warmup_steps:
        return peak * (step + 1) / plan.warmup_steps
    progress = min(1.0, (step - plan.warmup_steps) / (length - plan.warmup_steps))
    fall = 0.5 * (1 + math.cos(math.pi * progress))
    return peak * (_LEAST_RATE + (1 - _LEAST_RATE) * fall)
