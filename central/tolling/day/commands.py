# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands ``toll close-day`` and ``toll verify``."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

if TYPE_CHECKING:
    from central.ledger.types import LedgerProof
    from central.tolling.day.types import (
        Closed,
        ClosingMode,
        CrossingProof,
        DayKey,
        DayReport,
        ProviderFile,
    )

CLOSE_COMMAND: Final = "toll close-day"
EXIT_UNSOUND: Final = 1

Connect = Callable[[], str]


def add_day_commands(app: typer.Typer, connect_with: Connect) -> None:
    """Add the commands to the group ``toll``.

    Args:
        app: The group.
        connect_with: Gives the driver's connection string; called by a command only.
    """
    _add_close_day(app, connect_with)
    _add_verify(app, connect_with)


def _add_close_day(app: typer.Typer, connect_with: Connect) -> None:
    @app.command("close-day")
    def close_day(
        station: Annotated[str, typer.Argument(help="Id of the station.")],
        day: Annotated[str, typer.Argument(help="The day in Vietnam, as 2026-03-02.")],
        *,
        provider_file: Annotated[
            Path | None,
            typer.Option(
                exists=True, dir_okay=False, help="What a provider says it debited, a CSV file."
            ),
        ] = None,
        provider: Annotated[
            str, typer.Option(help="Who sent the file, as accounts name their provider.")
        ] = "",
        preview: Annotated[
            bool, typer.Option("--preview", help="Only look at the day; close nothing.")
        ] = False,
        so_far: Annotated[
            bool, typer.Option("--so-far", help="Close a day that is not over, marked as such.")
        ] = False,
    ) -> None:
        """Close a station's day: sums that balance, and differences with a provider's file.

        Exit code 1 when the ledger and the crossings disagree; differences with a provider are
        told and are no failure.
        """
        from central.tolling.day.printing import print_closed, print_report  # noqa: PLC0415
        from central.tolling.day.types import ClosingMode, DayKey  # noqa: PLC0415

        if (provider_file is None) is not (provider == ""):
            raise typer.BadParameter("--provider-file and --provider go together")
        if preview and provider_file is not None:
            raise typer.BadParameter("a preview takes no file: it would have to keep it")
        key = DayKey(station_id=station, day=_day(day))
        console = Console(soft_wrap=True, highlight=False)
        if preview:
            report = asyncio.run(_preview(connect_with(), key))
            print_report(console, report)
        else:
            closed = asyncio.run(
                _close(
                    connect_with(),
                    key,
                    file=_file(provider_file, provider=provider, key=key),
                    mode=ClosingMode.SO_FAR if so_far else ClosingMode.WHOLE_DAY,
                )
            )
            report = closed.report
            print_closed(console, closed)
        if not report.figures.is_balanced:
            raise typer.Exit(EXIT_UNSOUND)


def _add_verify(app: typer.Typer, connect_with: Connect) -> None:
    @app.command("verify")
    def verify() -> None:
        """Prove the ledger's invariants one by one; exit code 1 when one does not hold."""
        from rich.progress import Progress  # noqa: PLC0415

        from central.tolling.day.printing import print_proof  # noqa: PLC0415

        console = Console(soft_wrap=True, highlight=False)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("Following the chain", total=None)
            ledger, crossings = asyncio.run(
                _verify(
                    connect_with(),
                    on_progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            )
        print_proof(console, ledger, crossings)
        if not (ledger.is_sound and crossings.is_sound):
            raise typer.Exit(EXIT_UNSOUND)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("need a day such as 2026-03-02") from error


def _file(path: Path | None, *, provider: str, key: "DayKey") -> "ProviderFile | None":
    """The provider's file, read and checked; ``None`` without one."""
    from central.tolling.day.provider_file import read_provider_file  # noqa: PLC0415

    if path is None:
        return None
    return read_provider_file(path.read_bytes(), name=path.name, provider=provider, key=key)


async def _preview(info: str, key: "DayKey") -> "DayReport":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.tolling.day.service import TollDayService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await TollDayService(connection).preview(key, user=None, now=datetime.now(UTC))


async def _close(
    info: str, key: "DayKey", *, file: "ProviderFile | None", mode: "ClosingMode"
) -> "Closed":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.tolling.day.service import TollDayService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await TollDayService(connection).close(
            key,
            file=file,
            mode=mode,
            user=None,
            actor=Actor.command(CLOSE_COMMAND),
            now=datetime.now(UTC),
        )


async def _verify(
    info: str, *, on_progress: Callable[[int, int], None]
) -> "tuple[LedgerProof, CrossingProof]":
    """Check ledger and crossings as they are at one moment."""
    from psycopg import AsyncConnection, IsolationLevel  # noqa: PLC0415

    from central.ledger.service import LedgerService  # noqa: PLC0415
    from central.tolling.day.service import TollDayService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(value=True)
        ledger = await LedgerService(connection).verify(
            now=datetime.now(UTC), on_progress=on_progress
        )
        return ledger, await TollDayService(connection).proof()
