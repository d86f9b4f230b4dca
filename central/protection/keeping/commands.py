# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about what is kept how long: what is due, erasing it now, and the records."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

import typer

from central.db.pool import connection_info
from central.domain.local_time import terminal_time
from central.settings import CentralSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

    from central.protection.keeping.service import Keeper
    from central.protection.keeping.types import ErasureRecord, Kept, Span

COMMAND: Final = "luuthong-central retention"
EXIT_DUE: Final = 1
RECORDS_MAX: Final = 100


def retention_commands(read: Callable[[], CentralSettings]) -> typer.Typer:
    """The commands, for a program to add as ``retention``.

    Args:
        read: Reads the process's settings; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="What is kept how long, and what was erased.")
    _add_due(app, read)
    _add_run(app, read)
    _add_records(app, read)
    _add_paper(app, read)
    return app


def _add_due(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("due")
    def due() -> None:
        """Show the periods, and say what has to be judged; exit code 1 when something has."""
        from central.protection.keeping.service import periods_of  # noqa: PLC0415

        settings = read()
        for purpose, keep in periods_of(settings.retention).items():
            typer.echo(f"{purpose:<10} {keep.days:>6,} days")
        due = asyncio.run(_due(settings))
        for data, number in due.items():
            typer.echo(f"{data}: {number} {_unit(data)} are due")
        if any(due.values()):
            raise typer.Exit(EXIT_DUE)


def _add_run(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("run")
    def run(
        yes: Annotated[  # noqa: FBT002 - an option of the command line
            bool, typer.Option("--yes", help="Erase without asking: it can't be undone.")
        ] = False,
    ) -> None:
        """Erase now what nothing keeps any longer; the nightly job does the same."""
        settings = read()
        if not yes:
            due = asyncio.run(_due(settings)).items()
            what = ", ".join(f"{number} {_unit(data)} of {data}" for data, number in due)
            typer.confirm(f"Judge {what} and erase what is over?", abort=True)
        asyncio.run(_run(settings))


def _add_records(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("records")
    def records() -> None:
        """Show the newest erasures."""
        from rich.console import Console  # noqa: PLC0415 - only this command makes a table
        from rich.table import Table  # noqa: PLC0415

        table = Table("record", "erased at", "data", "span", "erased", "pictures", "kept")
        for each in asyncio.run(_records(read())):
            kept = ", ".join(f"{purpose}={rows:,}" for purpose, rows in each.kept.items())
            table.add_row(
                str(each.id),
                terminal_time(each.made_at),
                each.data,
                f"{terminal_time(each.since)} - {terminal_time(each.until)}",
                f"{each.erased:,}",
                f"{each.pictures:,}",
                kept,
            )
        Console().print(table)


def _add_paper(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("paper")
    def paper(
        record_id: Annotated[UUID, typer.Argument(help="Number of the record.")],
        out: Annotated[Path, typer.Option(help="File to write.", dir_okay=False)],
    ) -> None:
        """Write the paper of an erasure to a file."""
        out.write_bytes(asyncio.run(_paper(read(), record_id)))
        typer.echo(f"written to {out}")


def _keeper(connection: "AsyncConnection", settings: CentralSettings) -> "Keeper":
    from central.audit.types import Actor  # noqa: PLC0415
    from central.documents.signing import signing_key  # noqa: PLC0415
    from central.protection.keeping.service import Keeper  # noqa: PLC0415

    return Keeper(
        connection,
        settings=settings.retention,
        limits=settings.ingest.time_limits,
        office=settings.office,
        key=signing_key(settings.documents),
        actor=Actor.command(COMMAND),
    )


def _unit(data: "Kept") -> str:
    """What data are counted in."""
    from central.protection.keeping.types import SPANNED  # noqa: PLC0415

    return "spans" if data in SPANNED else "rows"


async def _due(settings: CentralSettings) -> "dict[Kept, int]":
    """How many spans and rows are due, by their data."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.protection.keeping.types import CLOSED, SPANNED  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        keeper = _keeper(connection, settings)
        now = datetime.now(UTC)
        spans = {data: await keeper.due_spans(data, now=now) for data in SPANNED}
        return spans | {data: await keeper.due_closed(data, now=now) for data in CLOSED}


async def _run(settings: CentralSettings) -> None:
    """Judge what is due, each span in its own transaction, and say what went."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.protection.keeping.types import CLOSED, SPANNED  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings), autocommit=True) as connection:
        keeper = _keeper(connection, settings)
        now = datetime.now(UTC)
        for data in SPANNED:
            while (span := await keeper.due_span(data, now=now)) is not None:
                async with connection.transaction():
                    record = await keeper.judge(span, now=now)
                _tell(span, record)
        for data in CLOSED:
            while await keeper.due_closed(data, now=now):
                async with connection.transaction():
                    closed = await keeper.judge_closed(data, now=now)
                if closed is None:
                    break
                typer.echo(f"{data}: {closed.erased:,} erased")
        async with connection.transaction():
            await keeper.erase_lone_sightings(now=now)
            strays = await keeper.release_strays(now=now)
        typer.echo(f"pictures that no passage named: {strays:,}")


def _tell(span: "Span", record: "ErasureRecord | None") -> None:
    """Say what became of a span."""
    erased = record.erased if record is not None else 0
    pictures = record.pictures if record is not None else 0
    typer.echo(
        f"{span.data} {terminal_time(span.since)} - {terminal_time(span.until)}: "
        f"{erased:,} erased, {pictures:,} pictures to go"
    )


async def _records(settings: CentralSettings) -> "Sequence[ErasureRecord]":
    """The newest records."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.protection.keeping.repository import KeepingRepository  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        return await KeepingRepository(connection).records(before=None, limit=RECORDS_MAX)


async def _paper(settings: CentralSettings, record_id: UUID) -> bytes:
    """The paper of a record.

    Raises:
        ErasureRecordNotFoundError: There is none.
    """
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.documents.service import DocumentService  # noqa: PLC0415
    from central.protection.errors import ErasureRecordNotFoundError  # noqa: PLC0415
    from central.protection.keeping.repository import KeepingRepository  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        document = await KeepingRepository(connection).paper(record_id)
        if document is None:
            raise ErasureRecordNotFoundError(record_id)
        return await DocumentService(connection).content(document)


def _info(settings: CentralSettings) -> str:
    """The driver's connection string."""
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-retention",
    )
