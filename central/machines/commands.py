# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about programs and their keys.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from central.domain.local_time import terminal_time
from central.identity.permissions import Permission

if TYPE_CHECKING:
    from central.machines.service import KeyAdministration
    from central.machines.types import ClientOverview

ResultT = TypeVar("ResultT")
Work = Callable[["KeyAdministration", datetime], Awaitable[ResultT]]
COMMAND: Final = "luuthong-central keys"
CLIENTS_SHOWN_MAX: Final = 1000
DAYS_DEFAULT: Final = 180
DAYS_MAX: Final = 366
OVERLAP_DAYS_DEFAULT: Final = 7
OVERLAP_DAYS_MAX: Final = 30

ClientName = Annotated[str, typer.Argument(help="Name of the program: a-z, 0-9 and hyphens.")]
Days = Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="Days for which the key works.")]


def key_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``keys``.

    Args:
        connect_with: Gives the driver's connection string of the owner; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Programs that call the api, and their keys.")

    def perform(work: Work[ResultT]) -> ResultT:
        return asyncio.run(_perform(connect_with(), work))

    @app.command("add")
    def add(
        name: ClientName,
        *,
        purpose: Annotated[str, typer.Option(help="What the program does.")],
        allow: Annotated[list[Permission], typer.Option(help="What it may do; may be repeated.")],
        site: Annotated[
            list[str] | None,
            typer.Option(help="Site that it may see; may be repeated. Without: every site."),
        ] = None,
        days: Days = DAYS_DEFAULT,
    ) -> None:
        """Let a program in and print its key, this once."""
        from central.machines.types import NewClient  # noqa: PLC0415

        new = NewClient(
            name=name,
            purpose=purpose,
            permissions=frozenset(allow),
            site_ids=frozenset(site) if site else None,
        )
        made = perform(lambda keys, now: keys.add(new, lifetime=timedelta(days=days), now=now))
        typer.echo(made.key)

    @app.command("list")
    def show() -> None:
        """Show every program with its keys; the keys themselves are kept nowhere."""
        page = perform(lambda keys, _now: keys.clients(size=CLIENTS_SHOWN_MAX))
        Console().print(_table(page.clients, now=datetime.now(UTC)))

    _add_renewal(app, connect_with)
    return app


def _add_renewal(app: typer.Typer, connect_with: Callable[[], str]) -> None:
    """The commands that renew and end keys."""

    def perform(work: Work[ResultT]) -> ResultT:
        return asyncio.run(_perform(connect_with(), work))

    @app.command("rotate")
    def rotate(
        name: ClientName,
        *,
        days: Days = DAYS_DEFAULT,
        overlap_days: Annotated[
            int,
            typer.Option(
                min=0, max=OVERLAP_DAYS_MAX, help="Days for which the old keys go on working."
            ),
        ] = OVERLAP_DAYS_DEFAULT,
    ) -> None:
        """Make a program a new key and print it, this once; the old ones end after the overlap."""
        made = perform(
            lambda keys, now: keys.rotate(
                name,
                lifetime=timedelta(days=days),
                overlap=timedelta(days=overlap_days),
                now=now,
            )
        )
        typer.echo(made.key)

    @app.command("revoke")
    def revoke(
        prefix: Annotated[str, typer.Argument(help="The twelve characters after ltk_.")],
    ) -> None:
        """End a key at once."""
        perform(lambda keys, now: keys.revoke(prefix, now=now))


def _table(clients: tuple["ClientOverview", ...], *, now: datetime) -> Table:
    """Programs with their keys."""
    table = Table("program", "may", "sites", "key", "state", "expires", "last used")
    for client in clients:
        for key in client.keys:
            table.add_row(
                client.name,
                ", ".join(client.permissions),
                "all" if client.site_ids is None else ", ".join(client.site_ids),
                key.prefix,
                key.state_at(now),
                terminal_time(key.expires_at),
                terminal_time(key.last_used_at),
            )
    return table


async def _perform(info: str, work: Work[ResultT]) -> ResultT:
    """Do something with keys in a transaction of its own."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.machines.service import KeyAdministration  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        keys = KeyAdministration(connection, actor=Actor.command(COMMAND))
        return await work(keys, datetime.now(UTC))
