# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training in numbered steps on one processor thread, with a running mean of the weights.

A run depends on its plan, its data and the library versions only: the same
batches come in the same order, whether or not the run was interrupted.
"""

import json
import math
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from models.errors import DatasetError

CHECKPOINT_FILE: Final = "checkpoint.pt"
MAX_STEPS: Final = 1_000_000
_LOG_EVERY: Final = 50
_GRADIENT_NORM_MAX: Final = 2.0
_LEAST_RATE: Final = 0.005
_LATER_PEAK: Final = 0.5

TensorBatch = dict[str, Tensor]
Loss = Callable[[Any, TensorBatch], Tensor]  # Any: a tensor, or a tuple of them


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


class SteppedTraining:
    """One run: weights, their running mean, optimiser and position."""

    def __init__(
        self, make: Callable[[], nn.Module], *, loss: Loss, plan: TrainingPlan, run_folder: Path
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.step = 0
        self.network = make().to(memory_format=torch.channels_last)
        self.average = make().to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.network.state_dict())
        self._loss = loss
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": plan.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=plan.learning_rate,
        )
        run_folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = run_folder / CHECKPOINT_FILE

    def resume(self) -> None:
        """Go on from the last checkpoint, where there is one."""
        if not self.checkpoint.exists():
            return
        state: dict[str, Any] = torch.load(self.checkpoint, weights_only=True)  # tensors of torch
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])

    def save(self) -> None:
        """Write a checkpoint; the old one stays until the new one is whole."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
        }
        fresh = self.checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self.checkpoint)

    def run(self, batches: Iterator[TensorBatch]) -> Path:
        """Train to the end of the plan; returns the last checkpoint."""
        torch.set_num_threads(1)
        self.network.train()
        started, losses = time.monotonic(), [0.0]
        while self.step < self.plan.steps:
            losses.append(self._train_on(next(batches)))
            if self.step % _LOG_EVERY == 0:
                mean_loss = sum(losses[-_LOG_EVERY:]) / len(losses[-_LOG_EVERY:])
                _report(self.step, loss=mean_loss, seconds=time.monotonic() - started)
            if self.step % self.plan.checkpoint_every == 0 or self.step == self.plan.steps:
                self.save()
        return self.checkpoint

    def _train_on(self, batch: TensorBatch) -> float:
        """One step; returns its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.plan)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = self.network(batch["pictures"])
        loss = self._loss(outputs, batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), _GRADIENT_NORM_MAX)
        self.optimiser.step()
        self._follow()
        self.step += 1
        return float(loss.detach())

    @torch.no_grad()  # type: ignore[untyped-decorator]  # torch has no types here
    def _follow(self) -> None:
        decay = min(self.plan.average_decay, (1 + self.step) / (10 + self.step))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for mean, value in pairs:
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def _report(step: int, *, loss: float, seconds: float) -> None:
    line = {"step": step, "loss": round(loss, 4), "seconds": round(seconds, 1)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
