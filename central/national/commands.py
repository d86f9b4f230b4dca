# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about figures of provinces: binding a program, handing up, and how far that has come.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from central.db.pool import connection_info
from central.domain.local_time import terminal_time
from central.settings import CentralSettings

if TYPE_CHECKING:
    from central.national.pushing.types import PushReport, PushState

COMMAND: Final = "luuthong-central national"
EXIT_FAILED: Final = 1
NAME_LENGTH_MAX: Final = 200


def national_commands(read: Callable[[], CentralSettings]) -> typer.Typer:
    """The commands, for a program to add as ``national``.

    Args:
        read: Reads the process's settings; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Figures of provinces at a national centre.")

    @app.command("add")
    def add(
        code: Annotated[str, typer.Argument(help="Code of the province, such as thai-nguyen.")],
        *,
        name: Annotated[str, typer.Option(help="What it is called.")],
        program: Annotated[str, typer.Option(help="Program whose keys write its figures.")],
    ) -> None:
        """At the national centre: bind a program to a province, the only one that it writes."""
        asyncio.run(_add(read(), code, name=name, program=program))
        typer.echo(f"{program} writes figures of {code}, and of no other province")

    @app.command("push")
    def push() -> None:
        """In a province: hand up now what has changed; exit code 1 when nobody answers."""
        report = asyncio.run(_push(read()))
        typer.echo(
            f"{report.stored} stored, {report.unchanged} unchanged, {report.refused} refused"
        )
        if report.trouble is not None:
            typer.echo(f"stopped: {report.trouble}; the job tries again", err=True)
            raise typer.Exit(EXIT_FAILED)

    @app.command("status")
    def status() -> None:
        """In a province: what waits, what was answered, and what is wrong."""
        for line in state_lines(asyncio.run(_state(read()))):
            typer.echo(line)

    return app


def state_lines(state: "PushState") -> tuple[str, ...]:
    """How far handing up has come, in plain words."""
    lines = [
        f"waiting: {state.due} sheets"
        + (f", the oldest of {terminal_time(state.oldest_due_at)}" if state.due else ""),
        f"answered: {state.answered} sheets, the last at {terminal_time(state.answered_at)}",
    ]
    if state.refused:
        lines.append(f"refused: {state.refused} sheets; tried again when they change, or in a day")
    if state.trouble is not None:
        lines.append(
            f"no answer since {state.trouble.failures} attempts ({state.trouble.reason}); "
            f"the next at {terminal_time(state.trouble.next_at)}"
        )
    return tuple(lines)


async def _add(settings: CentralSettings, code: str, *, name: str, program: str) -> None:
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.national.service import add_province  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        await add_province(
            connection,
            code,
            name=name,
            program=program,
            actor=Actor.command(COMMAND),
            now=datetime.now(UTC),
        )


async def _push(settings: CentralSettings) -> "PushReport":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.national.pushing.sending import national_link  # noqa: PLC0415
    from central.national.pushing.service import push_due  # noqa: PLC0415

    async with (
        national_link(settings.national) as link,
        await AsyncConnection.connect(_info(settings), autocommit=True) as connection,
    ):

        @asynccontextmanager
        async def transactions() -> AsyncIterator[AsyncConnection]:
            async with connection.transaction():
                yield connection

        return await push_due(transactions, link, clock=partial(datetime.now, UTC))


async def _state(settings: CentralSettings) -> "PushState":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.national.pushing.service import push_state  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        return await push_state(connection, now=datetime.now(UTC))


def _info(settings: CentralSettings) -> str:
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-central",
    )
