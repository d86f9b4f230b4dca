# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about units and areas, the same at the server and in a local stack.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from central.identity.areas.service import AreaService

ResultT = TypeVar("ResultT")
Work = Callable[["AreaService", datetime], Awaitable[ResultT]]
Id = Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")]
Name = Annotated[str, typer.Option(help="Name that pages show.")]


def unit_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``unit``.

    Args:
        connect_with: Gives the driver's connection string of the owner; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Offices, stations and teams of people.")

    @app.command("put")
    def put(
        unit_id: Id,
        name: Name,
        area: Annotated[
            list[str] | None, typer.Option(help="Area of the unit, once for each.")
        ] = None,
    ) -> None:
        """Make a unit or change it; without --area its areas stay as they are."""
        _run(
            connect_with,
            lambda areas, now: areas.put_unit(unit_id, name=name, area_ids=area, now=now),
        )

    @app.command("remove")
    def remove(unit_id: Id) -> None:
        """Remove a unit that nobody belongs to."""
        _run(connect_with, lambda areas, now: areas.remove_unit(unit_id, now=now))

    @app.command("list")
    def show() -> None:
        """Show every unit."""
        table = Table("unit", "name", "areas", "people")
        for each in _run(connect_with, lambda areas, _now: areas.units()):
            table.add_row(each.id, each.name, ", ".join(each.area_ids) or "-", str(each.people))
        Console().print(table)

    return app


def area_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``area``.

    Args:
        connect_with: Gives the driver's connection string of the owner; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Groups of sites that people may be confined to.")

    @app.command("put")
    def put(
        area_id: Id,
        name: Name,
        site: Annotated[
            list[str] | None, typer.Option(help="Site of the area, once for each.")
        ] = None,
    ) -> None:
        """Make an area or change it; without --site its sites stay as they are."""
        _run(
            connect_with,
            lambda areas, now: areas.put_area(area_id, name=name, site_ids=site, now=now),
        )

    @app.command("remove")
    def remove(area_id: Id) -> None:
        """Remove an area that nobody is confined to."""
        _run(connect_with, lambda areas, now: areas.remove_area(area_id, now=now))

    @app.command("list")
    def show() -> None:
        """Show every area."""
        table = Table("area", "name", "sites")
        for each in _run(connect_with, lambda areas, _now: areas.areas()):
            table.add_row(each.id, each.name, ", ".join(each.site_ids) or "-")
        Console().print(table)

    return app


def _run(connect_with: Callable[[], str], work: Work[ResultT]) -> ResultT:
    """Do something with units or areas in a transaction of its own."""
    return asyncio.run(_perform(connect_with(), work))


async def _perform(info: str, work: Work[ResultT]) -> ResultT:
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.identity.areas.service import COMMAND, AreaService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await work(AreaService(connection, actor=Actor.command(COMMAND)), datetime.now(UTC))
