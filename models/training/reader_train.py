# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the plate reader on one processor thread, with the renderer beside it.

``python -m models.training.reader_train --data POOL`` trains or resumes; the same seed, data and
library versions give the same batches in the same order, whether or not the run was interrupted.
"""

import argparse
import json
import math
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from models.datasets.pool import DEFAULT_POOL_FOLDER, PROJECT_FOLDER, require_pool
from models.datasets.splits import Split
from models.errors import DatasetError
from models.training.reader_data import (
    IGNORED,
    Batch,
    RealCrop,
    load_real_crops,
    stream_batches,
)
from models.training.reader_network import ReaderNetwork

CONFIG_FILE: Final = Path(__file__).parent / "configs" / "plate-reader.toml"
RUN_FOLDER: Final = PROJECT_FOLDER / "runs" / "plate-reader"
CHECKPOINT_FILE: Final = "checkpoint.pt"
MAX_STEPS: Final = 1_000_000
_BATCHES_AHEAD: Final = 6
_LOG_EVERY: Final = 50
_LEGIBILITY_WEIGHT: Final = 0.2
_SCENE_WEIGHT: Final = 0.1
_GRADIENT_NORM_MAX: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """Everything that a run depends on, apart from the data.

    Attributes:
        seed: Of the weights and of every batch.
        steps: Batches until the learning rate is down.
        batch_size: Plates per batch.
        real_share: Share of real crops; more follows the pool's cameras
            closer, less generalises better.
        learning_rate: Peak; higher learns faster until it diverges.
        weight_decay: Of AdamW.
        warmup_steps: Batches over which the learning rate rises.
        average_decay: Of the running mean of the weights, which is exported.
        checkpoint_every: Batches between checkpoints.
    """

    seed: int
    steps: int
    batch_size: int
    real_share: float
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    average_decay: float
    checkpoint_every: int

    def __post_init__(self) -> None:
        """Refuse a plan that can not be run."""
        if not (0 < self.warmup_steps < self.steps <= MAX_STEPS and self.checkpoint_every > 0):
            raise ValueError("a plan needs 0 < warmup_steps < steps and checkpoint_every > 0")
        if not 0.0 <= self.real_share <= 1.0:
            raise ValueError("real_share lies in 0 to 1")


def load_plan(path: Path = CONFIG_FILE) -> TrainingPlan:
    """Read a plan from TOML; unknown or missing keys are refused."""
    try:
        return TrainingPlan(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"{path.name} is no training plan") from error


def learning_rate_at(step: int, plan: TrainingPlan) -> float:
    """Linear rise, then half a cosine down to nearly nothing."""
    if step < plan.warmup_steps:
        return plan.learning_rate * (step + 1) / plan.warmup_steps
    progress = min(1.0, (step - plan.warmup_steps) / (plan.steps - plan.warmup_steps))
    return plan.learning_rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * progress)))


class _Batches(IterableDataset):  # type: ignore[misc]  # torch has no types here
    """Batches of one run from one step on, made in the loader's process."""

    def __init__(self, crops: tuple[RealCrop, ...], plan: TrainingPlan, first_step: int) -> None:
        self._crops, self._plan, self._first_step = crops, plan, first_step

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        cv2.setNumThreads(1)
        stream = stream_batches(
            self._crops,
            seed=self._plan.seed,
            first_step=self._first_step,
            batch_size=self._plan.batch_size,
            real_share=self._plan.real_share,
        )
        for batch in stream:
            yield _as_tensors(batch)


def _as_tensors(batch: Batch) -> dict[str, Tensor]:
    return {
        "pictures": torch.from_numpy(batch.pictures),
        "characters": torch.from_numpy(batch.characters),
        "layouts": torch.from_numpy(batch.layouts),
        "colours": torch.from_numpy(batch.colours),
        "legible": torch.from_numpy(batch.legible),
    }


def reading_loss(outputs: tuple[Tensor, ...], batch: dict[str, Tensor]) -> Tensor:
    """Cross-entropy over slots, plus a little for layout, colour and legibility."""
    characters, layout, colour, legibility = (output.float() for output in outputs)
    loss = functional.cross_entropy(
        characters.flatten(0, 1), batch["characters"].flatten(), ignore_index=IGNORED
    )
    for logits, target in ((layout, batch["layouts"]), (colour, batch["colours"])):
        summed = functional.cross_entropy(logits, target, ignore_index=IGNORED, reduction="sum")
        loss = loss + _SCENE_WEIGHT * summed / target.shape[0]
    wrong = functional.binary_cross_entropy_with_logits(legibility, batch["legible"])
    return loss + _LEGIBILITY_WEIGHT * wrong


class Trainer:
    """One run: weights, their running mean, optimiser and position."""

    def __init__(self, plan: TrainingPlan, *, run_folder: Path) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.step = 0
        self.network = ReaderNetwork().to(memory_format=torch.channels_last)
        self.average = ReaderNetwork().to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.network.state_dict())
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        others = [p for p in self.network.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": plan.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=plan.learning_rate,
        )
        self._checkpoint = run_folder / CHECKPOINT_FILE

    def resume(self) -> None:
        """Go on from the last checkpoint, where there is one."""
        if not self._checkpoint.exists():
            return
        state: dict[str, Any] = torch.load(self._checkpoint, weights_only=True)  # tensors of torch
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
        fresh = self._checkpoint.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self._checkpoint)

    def train_on(self, batch: dict[str, Tensor]) -> float:
        """One step; returns its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate_at(self.step, self.plan)
        with torch.autocast("cpu", torch.bfloat16):
            outputs = self.network(batch["pictures"])
        loss = reading_loss(outputs, batch)
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


def train(*, pool: Path, run_folder: Path = RUN_FOLDER, plan: TrainingPlan | None = None) -> Path:
    """Train the plate reader, or go on with a run that was interrupted.

    Args:
        pool: Folder of real pictures.
        run_folder: Where checkpoints go.
        plan: What to do; ``None`` reads the plan of the project.

    Returns:
        The last checkpoint.

    Raises:
        DatasetError: If the pool or the plan is incomplete.
    """
    plan = plan or load_plan()
    torch.set_num_threads(1)
    run_folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(plan, run_folder=run_folder)
    trainer.resume()
    crops = load_real_crops(require_pool(pool), Split.TRAIN)
    loader = DataLoader(
        _Batches(crops, plan, trainer.step),
        batch_size=None,
        num_workers=1,
        prefetch_factor=_BATCHES_AHEAD,
    )
    trainer.network.train()
    started, losses = time.monotonic(), [0.0]
    batches = iter(loader)
    while trainer.step < plan.steps:
        losses.append(trainer.train_on(next(batches)))
        if trainer.step % _LOG_EVERY == 0:
            mean_loss = sum(losses[-_LOG_EVERY:]) / len(losses[-_LOG_EVERY:])
            _report(trainer.step, loss=mean_loss, seconds=time.monotonic() - started)
        if trainer.step % plan.checkpoint_every == 0 or trainer.step == plan.steps:
            trainer.save()
    return run_folder / CHECKPOINT_FILE


def _report(step: int, *, loss: float, seconds: float) -> None:
    line = {"step": step, "loss": round(loss, 4), "seconds": round(seconds, 1)}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Command line: ``--data`` is the pool of real pictures, ``--runs`` the run's folder."""
    parser = argparse.ArgumentParser(description="Train the plate reader")
    parser.add_argument("--data", type=Path, default=DEFAULT_POOL_FOLDER)
    parser.add_argument("--runs", type=Path, default=RUN_FOLDER)
    arguments = parser.parse_args()
    train(pool=arguments.data, run_folder=arguments.runs)


if __name__ == "__main__":
    main()
