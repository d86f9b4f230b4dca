# SPDX-License-Identifier: AGPL-3.0-or-later
"""``train`` and ``export``: from the configs to released files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from models.commands.options import (
    RUNS_FOLDER,
    DataOption,
    RunsOption,
    ThreadsOption,
    TrainingArgument,
    TrainingChoice,
    local_today,
)
from models.datasets.pool import DEFAULT_POOL_FOLDER, PROJECT_FOLDER, require_pool
from models.errors import TrainingEnvironmentError
from models.training.environment import environment_python, require_training_environment
from models.training.release import entered_version

_DETECTORS: Final = (TrainingChoice.VEHICLE_DETECTOR, TrainingChoice.PLATE_DETECTOR)
_INSIDE_ENVIRONMENT: Final = "LUUTHONG_MODELS_INSIDE_TRAINING_ENVIRONMENT"


def train(
    model: TrainingArgument,
    data: DataOption = DEFAULT_POOL_FOLDER,
    runs: RunsOption = RUNS_FOLDER,
    threads: ThreadsOption = 1,
    *,
    mined: Annotated[
        Path | None, typer.Option("--mined", help="Plate reader: list of luuthong-models mine.")
    ] = None,
    reviewed: Annotated[
        Path | None, typer.Option("--reviewed", help="Plate reader: folder of reviewed crops.")
    ] = None,
    without: Annotated[
        str | None,
        typer.Option(
            "--without", help="Detectors: leave this source out, and measure on it; not released."
        ),
    ] = None,
) -> None:
    """Train from the kept configs; an interrupted run goes on where it stopped.

    The plate reader is trained behind the released corner network: train and
    export that one first.
    """
    if without is not None and model not in _DETECTORS:
        raise TrainingEnvironmentError("--without is for the detectors")
    _continue_in_training_environment()
    from models.training.detectors.detector import train_detector  # noqa: PLC0415 -- torch
    from models.training.plates.corner_train import train_corners  # noqa: PLC0415 -- torch
    from models.training.plates.reader_train import train_reader  # noqa: PLC0415 -- torch
    from models.training.plates.real_crops import load_reviewed_crops  # noqa: PLC0415 -- slow

    pool = require_pool(data)
    if without is not None:
        _train_without(without, model=model, pool=pool, runs=runs, threads=threads)
        return
    if model is TrainingChoice.PLATE_READER:
        crops = () if reviewed is None else load_reviewed_crops(reviewed, today=local_today())
        train_reader(pool=pool, run_folder=runs / model, mined=mined, reviewed=crops)
    elif model is TrainingChoice.PLATE_CORNERS:
        train_corners(pool=pool, run_folder=runs / model)
    else:
        train_detector(model.value, pool=pool, runs=runs, threads=threads)
    typer.echo(f"{model.value}: trained; release it with: luuthong-models export {model.value}")


def _train_without(
    source: str, *, model: TrainingChoice, pool: Path, runs: Path, threads: int
) -> None:
    """Train a detector that never sees a source, and show how it does there."""
    from models.export.unseen import measure_unseen, unseen_lines  # noqa: PLC0415 -- torch
    from models.training.detectors.detector import train_detector  # noqa: PLC0415 -- torch

    train_detector(model.value, pool=pool, runs=runs, threads=threads, without=source)
    for line in unseen_lines(measure_unseen(model.value, source=source, pool=pool, runs=runs)):
        typer.echo(f"{model.value} without {source}: {line}")


def export(
    model: TrainingArgument,
    version: Annotated[
        str | None,
        typer.Option(
            "--version", help="Version of the weights, as 1.2.3; else the one they replace."
        ),
    ] = None,
    data: DataOption = DEFAULT_POOL_FOLDER,
    runs: RunsOption = RUNS_FOLDER,
) -> None:
    """Make the released files from the last training, prove that they agree, enter them."""
    _continue_in_training_environment()
    named = version or entered_version(model.value)
    for line in _release(model, version=named, data=data, runs=runs):
        typer.echo(f"{model.value}: {line}")


def _release(model: TrainingChoice, *, version: str, data: Path, runs: Path) -> tuple[str, ...]:
    if model is TrainingChoice.PLATE_CORNERS:
        from models.training.plates.corner_export import release_corners  # noqa: PLC0415 -- torch

        return release_corners(version=version, run_folder=runs / model)
    if model is TrainingChoice.PLATE_READER:
        from models.training.plates.reader_export import release_reader  # noqa: PLC0415 -- torch

        return release_reader(version=version, pool=require_pool(data), run_folder=runs / model)
    from models.export.detectors import release_detector  # noqa: PLC0415 -- torch

    lines = release_detector(model.value, version=version, pool=require_pool(data), runs=runs)
    return tuple(lines)


def _continue_in_training_environment() -> None:
    """Run this same command with the training interpreter where this one can not train.

    Raises:
        TrainingEnvironmentError: There is no training environment.
    """
    try:
        require_training_environment()
    except TrainingEnvironmentError:
        python = environment_python()
        if python is None or os.environ.get(_INSIDE_ENVIRONMENT):
            raise
        finished = subprocess.run(
            [str(python), "-m", "models.cli", *sys.argv[1:]],
            cwd=PROJECT_FOLDER,
            env={**os.environ, _INSIDE_ENVIRONMENT: "1"},
            check=False,
        )
        raise typer.Exit(finished.returncode) from None
