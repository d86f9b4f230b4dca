# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the plate reader on one processor thread, with the renderer beside it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from models.datasets.mined import read_mined_weights
from models.datasets.pool import PROJECT_FOLDER, require_pool
from models.runtime.corners import PlateCorners
from models.training.detectors.settings import CONFIG_FOLDER
from models.training.plan import TrainingPlan, load_plan
from models.training.plates.reader_data import Batch, Pictures, load_pictures, stream_batches
from models.training.plates.reader_network import ReaderNetwork
from models.training.plates.reader_samples import IGNORED
from models.training.plates.real_crops import RealCrop
from models.training.stepwise import SteppedTraining, TensorBatch

CONFIG_FILE: Final = CONFIG_FOLDER / "plate-reader.toml"
RUN_FOLDER: Final = PROJECT_FOLDER / "runs" / "plate-reader"
_BATCHES_AHEAD: Final = 6
_FLAG_WEIGHT: Final = 0.15
_SCENE_WEIGHT: Final = 0.1


class _Batches(IterableDataset):  # type: ignore[misc]  # torch has no types here
    """Batches of one run from one step on, made in the loader's process."""

    def __init__(self, pictures: Pictures, plan: TrainingPlan, first_step: int) -> None:
        self._pictures, self._plan, self._first_step = pictures, plan, first_step

    def __iter__(self) -> Iterator[TensorBatch]:
        cv2.setNumThreads(1)
        stream = stream_batches(
            self._pictures,
            finder=PlateCorners.open(),
            seed=self._plan.seed,
            first_step=self._first_step,
            batch_size=self._plan.batch_size,
            real_share=self._plan.real_share,
        )
        for batch in stream:
            yield _as_tensors(batch)


def _as_tensors(batch: Batch) -> TensorBatch:
    return {
        "pictures": torch.from_numpy(batch.pictures),
        "characters": torch.from_numpy(batch.characters),
        "layouts": torch.from_numpy(batch.layouts),
        "colours": torch.from_numpy(batch.colours),
        "legible": torch.from_numpy(batch.legible),
        "genuine": torch.from_numpy(batch.genuine),
    }


def reading_loss(outputs: tuple[Tensor, ...], batch: TensorBatch) -> Tensor:
    """Cross-entropy over slots, plus a little for layout, colour and the two flags."""
    characters, layout, colour, legibility, genuineness = (output.float() for output in outputs)
    loss = functional.cross_entropy(
        characters.flatten(0, 1), batch["characters"].flatten(), ignore_index=IGNORED
    )
    for logits, target in ((layout, batch["layouts"]), (colour, batch["colours"])):
        summed = functional.cross_entropy(logits, target, ignore_index=IGNORED, reduction="sum")
        loss = loss + _SCENE_WEIGHT * summed / target.shape[0]
    for logits, flags in ((legibility, batch["legible"]), (genuineness, batch["genuine"])):
        loss = loss + _FLAG_WEIGHT * _known_only(logits, flags)
    return loss


def _known_only(logits: Tensor, flags: Tensor) -> Tensor:
    """Binary cross-entropy over the samples whose flag is known."""
    known = (flags >= 0).float()
    wrong = functional.binary_cross_entropy_with_logits(
        logits, flags.clamp_min(0.0), reduction="none"
    )
    return (wrong * known).sum() / flags.shape[0]


def train_reader(
    *,
    pool: Path,
    run_folder: Path = RUN_FOLDER,
    plan: TrainingPlan | None = None,
    mined: Path | None = None,
    reviewed: Sequence[RealCrop] = (),
) -> Path:
    """Train the plate reader, or go on with a run that was interrupted.

    The released corner network shows it plates as production will.

    Args:
        pool: Folder of real pictures.
        run_folder: Where checkpoints go.
        plan: What to do; ``None`` reads the plan of the project.
        mined: List of hard crops, as ``luuthong-models mine`` writes it.
        reviewed: Crops of production that a person has read.

    Returns:
        The last checkpoint.

    Raises:
        ModelsError: If the pool, the plan or the corner network is incomplete.
    """
    plan = plan or load_plan(CONFIG_FILE)
    training = SteppedTraining(ReaderNetwork, loss=reading_loss, plan=plan, run_folder=run_folder)
    training.resume()
    pictures = load_pictures(
        require_pool(pool),
        finder=PlateCorners.open(),
        seed=plan.seed,
        mined={} if mined is None else read_mined_weights(mined),
        reviewed=reviewed,
    )
    batches = _Batches(pictures, plan, training.step)
    loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=_BATCHES_AHEAD)
    return training.run(iter(loader))
