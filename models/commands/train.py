# SPDX-License-Identifier: AGPL-3.0-or-later
"""``train`` and ``export``: from the configs to released files."""

import os
import subprocess
import sys
from typing import Annotated, Final

import typer

from models.commands.options import (
    RUNS_FOLDER,
    DataOption,
    ModelArgument,
    ModelChoice,
    RunsOption,
    ThreadsOption,
)
from models.datasets.pool import DEFAULT_POOL_FOLDER, PROJECT_FOLDER, require_pool
from models.errors import TrainingEnvironmentError
from models.runtime.registry import PLATE_READER
from models.training.environment import environment_python, require_training_environment

_INSIDE_ENVIRONMENT: Final = "LUUTHONG_MODELS_INSIDE_TRAINING_ENVIRONMENT"


def train(
    model: ModelArgument = ModelChoice.ALL,
    data: DataOption = DEFAULT_POOL_FOLDER,
    runs: RunsOption = RUNS_FOLDER,
    threads: ThreadsOption = 1,
) -> None:
    """Train from the kept configs; an interrupted run goes on where it stopped."""
    _continue_in_training_environment()
    from models.training.detector import train_detector  # noqa: PLC0415 -- torch
    from models.training.reader_train import train as train_reader  # noqa: PLC0415 -- torch

    for name in model.names:
        if name == PLATE_READER:
            train_reader(pool=require_pool(data), run_folder=runs / name)
        else:
            train_detector(name, pool=require_pool(data), runs=runs, threads=threads)
        typer.echo(f"{name}: trained; release it with: luuthong-models export {name}")


def export(
    model: ModelArgument,
    version: Annotated[str, typer.Option("--version", help="Version of the weights, as 1.2.3.")],
    data: DataOption = DEFAULT_POOL_FOLDER,
    runs: RunsOption = RUNS_FOLDER,
) -> None:
    """Make the released files from the last training, prove that they agree, enter them."""
    _continue_in_training_environment()
    from models.export.detectors import release_detector  # noqa: PLC0415 -- torch
    from models.training.reader_export import release_reader  # noqa: PLC0415 -- torch

    pool = require_pool(data)
    for name in model.names:
        if name == PLATE_READER:
            lines = release_reader(version=version, pool=pool, run_folder=runs / name)
        else:
            lines = release_detector(name, version=version, pool=pool, runs=runs)
        for line in lines:
            typer.echo(f"{name}: {line}")


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
