# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about messages in quarantine: see why, mend, try again, discard; audited."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from central.audit.types import Actor, Look, Purpose
from central.db.pool import connection_info
from central.domain.local_time import terminal_time
from central.domain.scope import SiteScope
from central.errors import MendRefusedError
from central.settings import CentralSettings

if TYPE_CHECKING:
    from central.ingest.inspection import QuarantineEntry
    from central.ingest.quarantine import QuarantineService

COMMAND: Final = "luuthong-central quarantine"
ROWS: Final = 50
ROWS_MAX: Final = 200
EXIT_FAILED: Final = 1
EntryId = Annotated[int, typer.Argument(min=1, help="Number of the message.")]
Note = Annotated[str, typer.Option(help="Why, for the audit log.")]
ResultT = TypeVar("ResultT")


def quarantine_commands(read: Callable[[], CentralSettings]) -> typer.Typer:
    """The commands, for a program to add as ``quarantine``.

    Args:
        read: Reads the process's settings; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Messages that could not become rows.")
    _add_looking(app, read)
    _add_acting(app, read)
    return app


def _add_looking(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("list")
    def list_messages(
        *,
        limit: Annotated[int, typer.Option(min=1, max=ROWS_MAX, help="Rows.")] = ROWS,
        device: Annotated[str, typer.Option(help="Only of this device.")] = "",
        by_device: Annotated[
            bool, typer.Option("--by-device", help="Count them by device instead.")
        ] = False,
    ) -> None:
        """Show the newest open messages; their contents stay in the database."""
        if by_device:
            counts = asyncio.run(_with(read(), lambda desk: desk.counts()))
            table = Table("device", "messages")
            for count in counts:
                table.add_row(count.device_id or "-", str(count.messages))
        else:
            page = asyncio.run(
                _with(
                    read(),
                    lambda desk: desk.entries(
                        reason=None, device_id=device or None, before_id=None, size=limit
                    ),
                )
            )
            table = Table(
                "id", "reason", "detail", "device", "seq", "seen", "bytes", "last received"
            )
            for each in page.entries:
                table.add_row(
                    str(each.id),
                    each.reason,
                    each.detail,
                    each.device_id or "-",
                    "-" if each.seq is None else str(each.seq),
                    str(each.times_seen),
                    str(each.payload_size_bytes),
                    terminal_time(each.last_received_at),
                )
        Console().print(table)

    @app.command("show")
    def show(
        entry_id: EntryId,
        *,
        purpose: Annotated[
            Purpose | None,
            typer.Option(help="Why its content is looked at; without one it is not shown."),
        ] = None,
        proposal: Annotated[
            bool,
            typer.Option("--proposal", help="Print what could take its place instead."),
        ] = False,
    ) -> None:
        """Show one message: why it is here, and for a purpose what it says."""
        entry = asyncio.run(_with(read(), lambda desk: desk.entry(entry_id)))
        if purpose is None:
            for line in _facts(entry):
                typer.echo(line)
            return
        look = Look(actor=Actor.command(COMMAND), purpose=purpose)
        content = asyncio.run(
            _with(read(), lambda desk: desk.look(entry_id, look, now=datetime.now(UTC)))
        )
        typer.echo((content.proposal or "") if proposal else content.text)


def _add_acting(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("mend")
    def mend(
        entry_id: EntryId,
        note: Note,
        file: Annotated[
            Path | None,
            typer.Option(
                help="JSON that takes its place; without one the message is read as the version "
                "that is known here.",
                exists=True,
                dir_okay=False,
            ),
        ] = None,
    ) -> None:
        """Keep what shall be stored in a message's place; the message stays as it came."""
        payload = file.read_bytes() if file is not None else None

        async def act(desk: "QuarantineService") -> None:
            mended = payload if payload is not None else await desk.propose(entry_id)
            await desk.mend(entry_id, mended, note=note, now=datetime.now(UTC))

        if not note.strip():
            raise typer.BadParameter("need a reason")
        asyncio.run(_with(read(), act))
        typer.echo("mended; replay stores it")

    @app.command("replay")
    def replay(entry_id: EntryId) -> None:
        """Store a message by the way of every other; exit code 1 when it stays in quarantine."""
        settings = read()
        asyncio.run(_with(settings, lambda desk: desk.note_retry(entry_id, now=datetime.now(UTC))))
        if not _released(settings, entry_id=entry_id):
            typer.echo("it stays in quarantine: its cause is not mended", err=True)
            raise typer.Exit(EXIT_FAILED)
        typer.echo("stored")

    @app.command("discard")
    def discard(entry_id: EntryId, reason: Note) -> None:
        """Close a message for good; its row stays, with who and why."""
        if not reason.strip():
            raise typer.BadParameter("need a reason")
        asyncio.run(
            _with(read(), lambda desk: desk.drop(entry_id, note=reason, now=datetime.now(UTC)))
        )
        typer.echo("discarded")

    @app.command("release")
    def release() -> None:
        """Store what is good by now, also what the database refused before; prints how many."""
        typer.echo(str(_released(read(), entry_id=None)))


def _facts(entry: "QuarantineEntry") -> list[str]:
    """Why a message is here, in lines."""
    lines = [
        f"message {entry.id}: {entry.reason}",
        f"detail: {entry.detail or '-'}",
        f"topic: {entry.topic}",
        f"device: {entry.device_id or '-'}, seq: {entry.seq or '-'}",
        f"{entry.payload_size_bytes} bytes, seen {entry.times_seen} times",
        f"last received {terminal_time(entry.last_received_at)}",
    ]
    if entry.mended_at is not None:
        lines.append(
            f"mended {terminal_time(entry.mended_at)} by {entry.mended_by}: {entry.mend_note}"
        )
    return lines


def _released(settings: CentralSettings, *, entry_id: int | None) -> int:
    """How many messages became rows."""
    import psycopg  # noqa: PLC0415 - only what stores needs it here

    from central.ingest.release import release_quarantined  # noqa: PLC0415
    from central.ingest.repository import RELEASABLE_REASONS  # noqa: PLC0415
    from central.ingest.writer import is_data_error  # noqa: PLC0415

    try:
        return release_quarantined(
            _info(settings),
            limits=settings.ingest.time_limits,
            now=datetime.now(UTC),
            reasons=tuple(sorted(RELEASABLE_REASONS)),
            entry_id=entry_id,
        )
    except psycopg.Error as error:
        if not is_data_error(error):
            raise
        raise MendRefusedError(f"the database refuses it: SQLSTATE {error.sqlstate}") from error


async def _with(
    settings: CentralSettings, act: Callable[["QuarantineService"], Awaitable[ResultT]]
) -> ResultT:
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.ingest.quarantine import QuarantineService  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        return await act(
            QuarantineService(
                connection, scope=SiteScope.everything(), actor=Actor.command(COMMAND)
            )
        )


def _info(settings: CentralSettings) -> str:
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-central",
    )
