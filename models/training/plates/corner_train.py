# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the corner network on one processor thread, with the renderer beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from models.datasets.pool import PROJECT_FOLDER, require_pool
from models.runtime.values import BgrImage
from models.training.detectors.settings import CONFIG_FOLDER
from models.training.plan import TrainingPlan, load_plan
from models.training.plates.corner_data import stream_corner_batches
from models.training.plates.corner_network import CornerNetwork
from models.training.plates.plate_views import PlateScenePicture, load_grounds, load_plate_scenes
from models.training.stepwise import SteppedTraining, TensorBatch

CONFIG_FILE: Final = CONFIG_FOLDER / "plate-corners.toml"
RUN_FOLDER: Final = PROJECT_FOLDER / "runs" / "plate-corners"
GROUNDS: Final = 1500
_BATCHES_AHEAD: Final = 6
_BEND: Final = 0.02
"""Error, as a share of the crop, from which the loss grows in proportion and no longer squared."""


class _Batches(IterableDataset):  # type: ignore[misc]  # torch has no types here
    """Batches of one run from one step on, made in the loader's process."""

    def __init__(
        self,
        scenes: tuple[PlateScenePicture, ...],
        grounds: tuple[BgrImage, ...],
        plan: TrainingPlan,
        first_step: int,
    ) -> None:
        self._scenes, self._grounds = scenes, grounds
        self._plan, self._first_step = plan, first_step

    def __iter__(self) -> Iterator[TensorBatch]:
        cv2.setNumThreads(1)
        stream = stream_corner_batches(
            self._scenes,
            self._grounds,
            seed=self._plan.seed,
            first_step=self._first_step,
            batch_size=self._plan.batch_size,
            real_share=self._plan.real_share,
        )
        for batch in stream:
            yield {
                "pictures": torch.from_numpy(batch.pictures),
                "corners": torch.from_numpy(batch.corners),
                "weights": torch.from_numpy(batch.weights),
            }


def corner_loss(found: Tensor, batch: TensorBatch) -> Tensor:
    """Huber loss over the corners, weighted by how well each sample's truth is known."""
    wrong = functional.smooth_l1_loss(found.float(), batch["corners"], beta=_BEND, reduction="none")
    return (wrong.mean(dim=1) * batch["weights"]).sum() / batch["weights"].sum() / _BEND


def train_corners(
    *, pool: Path, run_folder: Path = RUN_FOLDER, plan: TrainingPlan | None = None
) -> Path:
    """Train the corner network, or go on with a run that was interrupted.

    Args:
        pool: Folder of real pictures.
        run_folder: Where checkpoints go.
        plan: What to do; ``None`` reads the plan of the project.

    Returns:
        The last checkpoint.

    Raises:
        DatasetError: If the pool or the plan is incomplete.
    """
    plan = plan or load_plan(CONFIG_FILE)
    training = SteppedTraining(CornerNetwork, loss=corner_loss, plan=plan, run_folder=run_folder)
    training.resume()
    require_pool(pool)
    batches = _Batches(
        load_plate_scenes(pool),
        load_grounds(pool, seed=plan.seed, limit=GROUNDS),
        plan,
        training.step,
    )
    loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=_BATCHES_AHEAD)
    return training.run(iter(loader))
