# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``luuthong-models``: train, export, measure, check and use the models."""

from collections.abc import Sequence

import typer

from models.commands.check import info, verify
from models.commands.evaluate import evaluate
from models.commands.mine import mine
from models.commands.read import read
from models.commands.reviewed import reviewed_app
from models.commands.train import export, train
from models.errors import ModelsError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train, export, measure, check and use the models.",
)
for _command in (train, export, evaluate, read, mine, verify, info):
    app.command()(_command)
app.add_typer(reviewed_app, name="reviewed")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; an expected failure is one line and exit code 1."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except ModelsError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
