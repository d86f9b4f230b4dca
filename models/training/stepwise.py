# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training in numbered steps on one processor thread, with a running mean of the weights.

A run depends on its plan, its data and the library versions only: the same
batches come in the same order, whether or not the run was interrupted.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from models.training.plan import TrainingPlan, learning_rate_at

CHECKPOINT_FILE: Final = "checkpoint.pt"
_LOG_EVERY: Final = 50
_GRADIENT_NORM_MAX: Final = 2.0

TensorBatch = dict[str, Tensor]
Loss = Callable[[Any, TensorBatch], Tensor]  # Any: a tensor, or a tuple of them


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
