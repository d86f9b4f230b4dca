# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of a detector with Ultralytics, on a processor, from a kept config."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2

from models.datasets.manifest import (
    ManifestRow,
    leave_out,
    read_manifest,
    rows_of,
    source_of,
    thinned,
)
from models.datasets.pool import require_pool
from models.datasets.rendered import plate_pictures, render_pictures, vehicle_pictures
from models.datasets.riders import with_riders
from models.datasets.splits import Split
from models.datasets.yolo import ExtraPicture, write_yolo_dataset
from models.errors import TrainingEnvironmentError
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR
from models.runtime.values import VehicleClass
from models.training.detectors.library_fixes import define_torchvision_operators, train_in_bfloat16
from models.training.detectors.mixing import write_mixed
from models.training.detectors.plate_streets import street_pictures
from models.training.detectors.road_streets import MENDED_STEPS, road_pictures
from models.training.detectors.settings import DetectorTraining, read_detector_training
from models.training.detectors.teachers import teacher
from models.training.environment import quieten_library, require_training_environment

# Any in this module: torch and ultralytics publish no types that mypy could check here.

DETECTOR_NAMES: Final = (PLATE_DETECTOR, VEHICLE_DETECTOR)
STATISTICS_PICTURES: Final = 48
RENDERED_FOLDER: Final = "rendered"
PASTED_FOLDER: Final = "pasted"
TEACHER_SIDE_PX: Final = 736
TEACHER_MIN_CONFIDENCE: Final = 0.06
FINISHED_FILE: Final = "finished"
LAST_CHECKPOINT: Final = "weights/last.pt"
MIXED_CHECKPOINT: Final = "mixed.pt"
LOADER_PROCESSES: Final = 1
_ALWAYS: Final = {
    "device": "cpu",
    "cache": "ram",
    "amp": False,
    "plots": False,
    "val": False,
    "workers": LOADER_PROCESSES,
    "deterministic": True,
    "exist_ok": True,
    "verbose": False,
    "model": "yolov8n.yaml",
    "task": "detect",
}


def train_detector(
    name: str, *, pool: Path, runs: Path, threads: int, without: str | None = None
) -> Path:
    """Train a detector, or go on where an interrupted run stopped.

    A finished round is not repeated: remove the run's folder to train anew.

    Args:
        name: ``plate-detector`` or ``vehicle-detector``.
        pool: Folder of real pictures.
        runs: Work folder outside version control.
        threads: Threads of the arithmetic; one process more loads pictures.
        without: Source whose pictures stay out of every round, to learn how
            the recipe does where it has never been; ``None`` uses all.

    Returns:
        Checkpoint to release: averaged weights of the last epoch, mixed with those
        that training started from.

    Raises:
        ModelsError: The environment, the pool, the config or the source is not usable.
    """
    if name not in DETECTOR_NAMES:
        raise TrainingEnvironmentError(f"no detector is called {name!r}")
    require_training_environment()
    quieten_library(runs / "library")
    _limit_threads(threads)
    training = read_detector_training(name)
    rows = read_manifest(training.manifest)
    if without is not None:
        rows = leave_out(rows, source=without)
    folder = run_folder(name, runs=runs, without=without)
    pictures = [pool / row.file for row in rows_of(rows, Split.TRAIN)]
    start = network = _starting_network(training, pool=pool, pictures=pictures)
    for index in range(len(training.rounds)):
        round_folder = _round_folder(folder, index)
        if not (round_folder / FINISHED_FILE).exists():
            data = _write_data(
                training, index, rows=rows, pool=pool, folder=folder, network=network
            )
            _run(training, index, data=data, folder=folder, threads=threads, network=network)
            (round_folder / FINISHED_FILE).touch()
        network = _continued(network, round_folder / LAST_CHECKPOINT)
    mixed = checkpoint_path(name, runs=runs, without=without)
    last = _round_folder(folder, len(training.rounds) - 1) / LAST_CHECKPOINT
    write_mixed(last, mixed, start=start(), start_share=training.start_share)
    return mixed


def _limit_threads(threads: int) -> None:
    """Threads that wait for one another on a busy machine are slower than one."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    cv2.setNumThreads(threads)
    import torch  # noqa: PLC0415 -- training only

    torch.set_num_threads(threads)


def run_folder(name: str, *, runs: Path, without: str | None = None) -> Path:
    """Work folder of one training; a run that left a source out has its own."""
    return runs / (name if without is None else f"{name}-without-{without}")


def checkpoint_path(name: str, *, runs: Path, without: str | None = None) -> Path:
    """Where a detector's training leaves what is to be released."""
    return run_folder(name, runs=runs, without=without) / MIXED_CHECKPOINT


def _round_folder(folder: Path, index: int) -> Path:
    return folder / f"round-{index + 1}"


def _continued(network: Callable[[], Any], checkpoint: Path) -> Callable[[], Any]:
    """A function that builds a network with the weights of an earlier round."""

    def build() -> Any:  # noqa: ANN401 -- a torch module
        from ultralytics.nn.tasks import load_checkpoint  # noqa: PLC0415 -- training only

        model = network()
        model.load_state_dict(load_checkpoint(str(checkpoint))[0].float().state_dict())
        return model

    return build


def _write_data(
    training: DetectorTraining,
    index: int,
    *,
    rows: tuple[ManifestRow, ...],
    pool: Path,
    folder: Path,
    network: Callable[[], Any],
) -> Path:
    """Lay out the pictures of one round; ``network`` is what the round starts from."""
    extra = _rendered(training, folder=folder.parent / RENDERED_FOLDER)
    made = folder.parent / PASTED_FOLDER / folder.name
    if training.name == PLATE_DETECTOR:
        extra += _streets(training, folder=made, pool=pool, network=network)
    elif index > 0:
        # The first round teaches what a small motorbike is; only then can its network mend.
        extra += _roads(training, folder=made, rows=rows, pool=pool, network=network)
        rows = tuple(
            row
            for row in rows
            if row.split is not Split.TRAIN or source_of(row.file) not in MENDED_STEPS
        )
    return write_yolo_dataset(
        thinned(rows, max_per_source=training.max_per_source),
        pool=require_pool(pool),
        folder=folder / "data",
        labels=training.labels,
        class_of=training.class_of,
        mended=with_riders if training.name == VEHICLE_DETECTOR else tuple,
        extra=extra,
    )


def _rendered(training: DetectorTraining, *, folder: Path) -> tuple[ExtraPicture, ...]:
    """Rendered pictures of this training; both detectors share them."""
    pictures = render_pictures(
        folder,
        count=training.rendered_pictures,
        seed=_seed(training),
        labels=tuple(VehicleClass),
    )
    if training.name == PLATE_DETECTOR:
        return plate_pictures(pictures)
    return vehicle_pictures(pictures)


def _streets(
    training: DetectorTraining, *, folder: Path, pool: Path, network: Callable[[], Any]
) -> tuple[ExtraPicture, ...]:
    """Real pictures with rendered plates, for the plate detector."""
    if not training.pasted_pictures:
        return ()
    define_torchvision_operators()
    return street_pictures(
        folder,
        pool=pool,
        count=training.pasted_pictures,
        seed=_seed(training),
        teacher=teacher(network(), side_px=TEACHER_SIDE_PX, min_confidence=TEACHER_MIN_CONFIDENCE),
    )


def _roads(
    training: DetectorTraining,
    *,
    folder: Path,
    rows: tuple[ManifestRow, ...],
    pool: Path,
    network: Callable[[], Any],
) -> tuple[ExtraPicture, ...]:
    """Mended, further, denser and darker road pictures, for the vehicle detector."""
    define_torchvision_operators()
    return road_pictures(
        folder,
        rows=rows_of(rows, Split.TRAIN),
        pool=pool,
        count=training.pasted_pictures,
        seed=_seed(training),
        network=network,
    )


def _seed(training: DetectorTraining) -> int:
    seed = training.trainer.get("seed", 0)
    return seed if isinstance(seed, int) else 0


def _starting_network(
    training: DetectorTraining, *, pool: Path, pictures: list[Path]
) -> Callable[[], Any]:
    """A function that builds the network training starts from."""
    from models.training.detectors.warm_start import plate_network, vehicle_network  # noqa: PLC0415

    if training.name == PLATE_DETECTOR:
        return plate_network
    chosen = random.Random(str(_seed(training))).sample(  # noqa: S311 -- a sample, not a secret
        pictures, k=min(STATISTICS_PICTURES, len(pictures))
    )
    return lambda: vehicle_network(pool, pictures=chosen)


def _lower_step_evenly() -> Callable[[Any], None]:
    """A callback that lowers the step with every batch.

    The library lowers it once an epoch, which leaves a run of one or two epochs
    at nearly the full step to its end.
    """
    done = 0

    def lower(trainer: Any) -> None:  # noqa: ANN401 -- the library's trainer
        nonlocal done
        batches = len(trainer.train_loader)
        progress = (trainer.epoch * batches + done % batches) / (trainer.epochs * batches)
        done += 1
        last = float(trainer.args.lrf)
        for group in trainer.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * (1 - progress * (1 - last))

    return lower


def _run(
    training: DetectorTraining,
    index: int,
    *,
    data: Path,
    folder: Path,
    threads: int,
    network: Callable[[], Any],
) -> None:
    define_torchvision_operators()
    train_in_bfloat16()
    import torch  # noqa: PLC0415 -- training only
    from ultralytics.models.yolo.detect import DetectionTrainer  # noqa: PLC0415
    from ultralytics.utils.torch_utils import strip_optimizer  # noqa: PLC0415

    class Trainer(DetectionTrainer):  # type: ignore[misc]  # the library has no types
        """Ultralytics' trainer from our network, without validation of its own.

        Released figures come from ``models.evaluation``, through the same
        preprocessing as production; validating twice would cost a third of
        the time.
        """

        def get_model(
            self,
            cfg: object = None,  # noqa: ARG002 -- the network is ours
            weights: Any = None,  # noqa: ANN401 -- a torch module
            verbose: object = None,  # noqa: ARG002 -- the library's own signature
        ) -> Any:  # noqa: ANN401 -- a torch module
            model = network()
            model.names = dict(enumerate(training.labels))
            if weights is not None:
                model.load(weights)
            return model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = super().preprocess_batch(batch)
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

        def validate(self) -> tuple[dict[str, float], float]:
            self.best_fitness = float(self.epoch)
            return {}, float(self.epoch)

        def final_eval(self) -> None:
            strip_optimizer(self.last)

    round_folder = _round_folder(folder, index).resolve()
    options: dict[str, Any] = {**_ALWAYS, **training.trainer, **training.rounds[index]}
    options |= {"data": str(data), "project": str(folder.resolve()), "name": round_folder.name}
    interrupted = round_folder / LAST_CHECKPOINT
    if interrupted.exists():
        options |= {"model": str(interrupted), "resume": str(interrupted)}
    trainer = Trainer(overrides=options)
    trainer.add_callback("on_train_start", lambda _trainer: torch.set_num_threads(threads))
    trainer.add_callback("on_train_batch_start", _lower_step_evenly())
    trainer.train()
