# SPDX-License-Identifier: AGPL-3.0-or-later
"""``verify`` and ``info``: what is released and what is at hand."""

from pathlib import Path
from typing import Annotated

import typer

from models.datasets.pool import DEFAULT_POOL_FOLDER
from models.runtime.registry import load_model, model_names
from models.training.environment import MAKE_COMMAND, environment_python

ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", help="Folder with registry.toml and weights, not the released ones."),
]


def verify(models: ModelsOption = None) -> None:
    """Check every released file against the registry."""
    for name in model_names(folder=models):
        model = load_model(name, folder=models)
        typer.echo(f"{name} {model.version}: {model.sha256} ok")


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
