# SPDX-License-Identifier: AGPL-3.0-or-later
"""``reviewed check`` and ``reviewed purge``: crops of production in the training data."""

from pathlib import Path
from typing import Annotated, Final

import typer

from models.commands.options import local_today
from models.datasets.reviewed import purge_reviewed, read_reviewed

EXIT_PROBLEMS: Final = 1

reviewed_app = typer.Typer(no_args_is_help=True, help="Reviewed crops of production.")

FolderArgument = Annotated[Path, typer.Argument(help="Folder with labels.csv and crops/.")]


@reviewed_app.command()
def check(folder: FolderArgument) -> None:
    """Say what of a folder may be used today, and what is wrong with the rest.

    Exit code 1 when a line has a problem or a crop has expired.
    """
    found = read_reviewed(folder, today=local_today())
    for problem in found.problems:
        typer.echo(problem, err=True)
    if found.expired:
        typer.echo(
            f"{found.expired} crops have expired; delete them: "
            f"luuthong-models reviewed purge {folder}",
            err=True,
        )
    typer.echo(
        f"{len(found.crops)} crops may be used, {found.expired} have expired, "
        f"{len(found.problems)} problems"
    )
    if found.problems or found.expired:
        raise typer.Exit(EXIT_PROBLEMS)


@reviewed_app.command()
def purge(folder: FolderArgument) -> None:
    """Delete crops whose day has come: the pictures, then their lines.

    Exit code 1 when a line states no valid day: nobody can tell when it must go.
    """
    done = purge_reviewed(folder, today=local_today())
    typer.echo(f"{done.lines} lines and {done.pictures} pictures deleted")
    if done.unreadable:
        typer.echo(f"{done.unreadable} lines state no valid file or day; run check", err=True)
        raise typer.Exit(EXIT_PROBLEMS)
