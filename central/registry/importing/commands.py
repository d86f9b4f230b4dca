# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong-central registry``: what an administrator does with the registry."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from central.db.outages import translated_outages
from central.db.pool import connection_info
from central.errors import CentralError
from central.registry.importing.types import ImportKind, ImportMode
from central.settings import read_settings

registry_app = typer.Typer(no_args_is_help=True, help="Vehicles, owners and papers.")

EXIT_FAILED = 1

FileArgument = Annotated[Path, typer.Argument(help="A CSV file in UTF-8.")]
KindOption = Annotated[ImportKind, typer.Option(help="What the file holds.")]
ApplyOption = Annotated[
    bool, typer.Option("--apply", help="Keep it if every row is good; else it is a trial.")
]
SourceOption = Annotated[
    str | None, typer.Option(help="Register that the file comes from; else the file's name.")
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%d/%m/%Y"], help="Day of the data, for rows without as_of."),
]


@registry_app.callback()
def registry() -> None:
    """Vehicles, owners and papers."""


@registry_app.command("import")
def import_command(
    file: FileArgument,
    kind: KindOption,
    *,
    apply: ApplyOption = False,
    source: SourceOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Try a file out and name every bad row; with --apply, take all of it in."""
    try:
        settings = read_settings()
        info = connection_info(
            settings.database_url,
            password_file=settings.database_password_file,
            application_name="luuthong-import",
        )
        code = imported(info, file, kind, apply=apply, source=source, as_of=as_of)
    except CentralError as error:
        typer.echo(f"luuthong-central: {error}", err=True)
        sys.exit(EXIT_FAILED)
    raise typer.Exit(code)


def imported(
    info: str,
    file: Path,
    kind: ImportKind,
    *,
    apply: bool,
    source: str | None,
    as_of: datetime | None,
) -> int:
    """Run the import with what was typed; returns the exit code.

    Raises:
        CentralError: The file as a whole can't be taken in, or the database can't be reached.
    """
    from central.registry.importing.command import run_import  # noqa: PLC0415

    with translated_outages():
        return run_import(
            info,
            file,
            kind,
            mode=ImportMode.APPLY if apply else ImportMode.TRY_OUT,
            source=source,
            as_of=as_of.date() if as_of is not None else None,
            now=datetime.now(UTC),
            console=Console(),
        )
