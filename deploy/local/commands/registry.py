# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong registry``: the registry of the running stack."""

import typer

from central.db.pool import connection_info
from central.registry.importing.commands import (
    ApplyOption,
    AsOfOption,
    FileArgument,
    KindOption,
    SourceOption,
    imported,
)
from deploy.local.stack import LocalStack

registry_app = typer.Typer(no_args_is_help=True, help="Vehicles, owners and papers of the stack.")


@registry_app.callback()
def registry() -> None:
    """Vehicles, owners and papers of the stack."""


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
    info = connection_info(LocalStack().state.database_url, application_name="luuthong-import")
    raise typer.Exit(imported(info, file, kind, apply=apply, source=source, as_of=as_of))
