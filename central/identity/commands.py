# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about users, the same at the server and in a local stack.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from central.domain.local_time import terminal_time
from central.domain.scope import Reach
from central.identity.outside.commands import add_outside_commands
from central.identity.permissions import Role

if TYPE_CHECKING:
    from central.identity.administration import UserAdministration

ResultT = TypeVar("ResultT")
Username = Annotated[str, typer.Argument(help="Name to log in with.")]
RoleOption = Annotated[Role, typer.Option(help="What somebody is employed for.")]
Work = Callable[["UserAdministration", datetime], Awaitable[ResultT]]
Perform = Callable[[Work[ResultT]], ResultT]


def user_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``user``.

    Args:
        connect_with: Gives the driver's connection string of the owner; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="People who may log in, and their roles.")

    def perform(work: Work[ResultT]) -> ResultT:
        return _run(connect_with, work)

    @app.command("add")
    def add(
        username: Username,
        *,
        role: RoleOption,
        display_name: Annotated[str, typer.Option(help="Name that pages show.")] = "",
    ) -> None:
        """Make a user and print the name and a generated password, this once."""
        made = perform(
            lambda people, now: people.add(
                username=username, display_name=display_name or username, role=role, now=now
            )
        )
        typer.echo(f"{made.username} {made.password}")

    @app.command("reset-password")
    def reset_password(username: Username) -> None:
        """Give a user a new password, print it this once, and end the user's sessions."""
        made = perform(lambda people, now: people.reset_password(username, now=now))
        typer.echo(f"{made.username} {made.password}")

    @app.command("enable")
    def enable(username: Username) -> None:
        """Let a user in again."""
        from central.identity.types import UserState  # noqa: PLC0415

        perform(lambda people, now: people.switch(username, UserState.ENABLED, now=now))

    @app.command("disable")
    def disable(username: Username) -> None:
        """Shut a user out at once; nothing that they did is lost."""
        from central.identity.types import UserState  # noqa: PLC0415

        perform(lambda people, now: people.switch(username, UserState.DISABLED, now=now))

    @app.command("set-role")
    def set_role(username: Username, role: Annotated[Role, typer.Argument()]) -> None:
        """Give a user another role; it holds from the next click on."""
        perform(lambda people, now: people.set_role(username, role, now=now))

    _add_place_and_links(app, connect_with)

    @app.command("list")
    def show() -> None:
        """Show every user."""
        table = Table("user", "name", "role", "state", "unit", "sees", "last login")
        for each in perform(lambda people, _now: people.users()):
            table.add_row(
                each.username,
                each.display_name,
                each.role,
                each.state,
                each.unit_id or "-",
                ", ".join((each.reach, *each.area_ids)),
                terminal_time(each.last_login_at),
            )
        Console().print(table)

    return app


def _add_place_and_links(app: typer.Typer, connect_with: Callable[[], str]) -> None:
    """The commands about unit, areas and outside account of a user."""
    add_outside_commands(app, connect_with)

    @app.command("place")
    def place(
        username: Username,
        *,
        unit: Annotated[str | None, typer.Option(help="Unit of the user.")] = None,
        area: Annotated[
            list[str] | None,
            typer.Option(help="Area to confine the user to, once for each."),
        ] = None,
        reach: Annotated[
            Reach, typer.Option(help="The whole province, or the user's and the unit's areas.")
        ],
    ) -> None:
        """Say which unit a user belongs to and which sites the user sees."""
        _run(
            connect_with,
            lambda people, now: people.place(
                username, unit_id=unit, reach=reach, area_ids=area or (), now=now
            ),
        )


def _run(connect_with: Callable[[], str], work: Work[ResultT]) -> ResultT:
    """Do something with users in a transaction of its own."""
    return asyncio.run(_perform(connect_with(), work))


async def _perform(info: str, work: Work[ResultT]) -> ResultT:
    """Do something with users in a transaction of its own."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.identity.administration import (  # noqa: PLC0415
        COMMAND,
        UserAdministration,
    )

    async with await AsyncConnection.connect(info) as connection:
        people = UserAdministration(connection, actor=Actor.command(COMMAND))
        return await work(people, datetime.now(UTC))
