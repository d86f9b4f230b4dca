# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``luuthong-models``: train, export, measure and check the models."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from models.datasets.pool import DEFAULT_POOL_FOLDER, PROJECT_FOLDER, require_pool
from models.errors import ModelsError, TrainingEnvironmentError
from models.runtime.registry import (
    PLATE_DETECTOR,
    PLATE_READER,
    VEHICLE_DETECTOR,
    load_model,
    model_names,
)
from models.runtime.values import Backend
from models.training.environment import (
    MAKE_COMMAND,
    environment_python,
    require_training_environment,
)

RUNS_FOLDER: Final = PROJECT_FOLDER / "runs"
MAX_THREADS: Final = 64
_INSIDE_ENVIRONMENT: Final = "LUUTHONG_MODELS_INSIDE_TRAINING_ENVIRONMENT"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, export, measure and check the models.",
)


class ModelChoice(StrEnum):
    """What a command works on."""

    PLATE_DETECTOR = "plate-detector"
    VEHICLE_DETECTOR = "vehicle-detector"
    PLATE_READER = "plate-reader"
    ALL = "all"

    @property
    def names(self) -> tuple[str, ...]:
        """Registry names meant by the choice."""
        if self is ModelChoice.ALL:
            return (PLATE_DETECTOR, VEHICLE_DETECTOR, PLATE_READER)
        return (self.value,)


class SplitChoice(StrEnum):
    """Pictures to measure on."""

    VALIDATION = "validation"
    HOLD_OUT = "hold_out"


ModelArgument = Annotated[ModelChoice, typer.Argument(help="Model, or all of them.")]
DataOption = Annotated[Path, typer.Option("--data", help="Folder of real pictures.")]
RunsOption = Annotated[Path, typer.Option("--runs", help="Work folder of training runs.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=MAX_THREADS)]
BackendOption = Annotated[Backend, typer.Option("--backend", help="Inference library.")]


@app.command()
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


@app.command()
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


@app.command()
def evaluate(
    model: ModelArgument = ModelChoice.ALL,
    data: DataOption = DEFAULT_POOL_FOLDER,
    split: Annotated[SplitChoice, typer.Option("--split")] = SplitChoice.VALIDATION,
    backend: BackendOption = Backend.AUTO,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Measure the released models on pictures that share no plate with training."""
    from models.evaluation.report import evaluation_document, evaluation_text  # noqa: PLC0415 -- slow

    document = evaluation_document(
        model.names, pool=require_pool(data), split=split.value, backend=backend
    )
    typer.echo(json.dumps(document, indent=2) if as_json else evaluation_text(document))


@app.command()
def verify() -> None:
    """Check every released file against the registry."""
    for name in model_names():
        model = load_model(name)
        typer.echo(f"{name} {model.version}: {model.sha256} ok")


@app.command()
def info() -> None:
    """Show the released models, the data and the training environment."""
    for name in model_names():
        model = load_model(name)
        size_mb = model.path.stat().st_size / 1e6
        typer.echo(f"{name} {model.version}: {model.path.name}, {size_mb:.1f} MB, {model.licence}")
    pool = "present" if DEFAULT_POOL_FOLDER.is_dir() else "absent; give it with --data"
    typer.echo(f"real pictures: {pool}")
    python = environment_python()
    typer.echo(f"training environment: {'present' if python else f'absent; {MAKE_COMMAND}'}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; an expected failure is one line and exit code 1."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except ModelsError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from error


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


if __name__ == "__main__":
    main()
