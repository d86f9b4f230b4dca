# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about procedures, the same at the server and in a local stack."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from central.procedures.rulebook.definition import Procedure
    from central.procedures.rulebook.library import Loaded


def procedure_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``procedures``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Procedures and the official calendar.")

    @app.command("load")
    def load(
        definitions: Annotated[
            Path | None, typer.Option(help="Folder of procedures; without it the built-in ones.")
        ] = None,
        calendars: Annotated[
            Path | None, typer.Option(help="Folder of calendars; without it the built-in one.")
        ] = None,
    ) -> None:
        """Load new versions; a version that was loaded never changes."""
        loaded = load_now(
            connect_with(), now=datetime.now(UTC), definitions=definitions, calendars=calendars
        )
        for name in loaded.new:
            typer.echo(f"new: {name}")
        for name in loaded.known:
            typer.echo(f"known: {name}")

    @app.command("list")
    def list_in_force() -> None:
        """Show what is in force today."""
        from central.domain.local_time import local_date  # noqa: PLC0415

        today = local_date(datetime.now(UTC))
        for each in asyncio.run(_in_force(connect_with(), on=today)):
            typer.echo(
                f"{each.id} v{each.version} from {each.valid_from}: {each.name.vi} "
                f"({each.days.value} working days)"
            )

    return app


def load_now(
    info: str, *, now: datetime, definitions: Path | None = None, calendars: Path | None = None
) -> "Loaded":
    """Load new versions in a transaction of its own.

    Args:
        info: How to connect, as an account that may write.
        now: Aware time that is noted with what is new.
        definitions: Folder of procedures; ``None`` means the built-in ones.
        calendars: Folder of calendars; ``None`` means the built-in one.

    Raises:
        ProcedureFileError: A file is wrong; nothing is loaded.
        ProcedureChangedError: A loaded version was changed in its file; nothing is loaded.
    """
    return asyncio.run(_load(info, now=now, definitions=definitions, calendars=calendars))


async def _load(
    info: str, *, now: datetime, definitions: Path | None, calendars: Path | None
) -> "Loaded":
    import psycopg  # noqa: PLC0415

    from central.domain.calendar_law import LAW_FOLDER  # noqa: PLC0415
    from central.procedures.rulebook.checking import DEFINITIONS  # noqa: PLC0415
    from central.procedures.rulebook.library import load_procedures  # noqa: PLC0415

    async with await psycopg.AsyncConnection.connect(info) as connection:
        return await load_procedures(
            connection,
            now=now,
            definitions=definitions or DEFINITIONS,
            calendars=calendars or LAW_FOLDER,
        )


async def _in_force(info: str, *, on: date) -> "tuple[Procedure, ...]":
    import psycopg  # noqa: PLC0415

    from central.procedures.rulebook.library import ProcedureLibrary  # noqa: PLC0415

    async with await psycopg.AsyncConnection.connect(info) as connection:
        return await ProcedureLibrary(connection).in_force(on=on)
