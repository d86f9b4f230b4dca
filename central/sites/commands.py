# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about sites, the same at the server and in a local stack."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer


def site_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``site``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Places where devices stand.")

    @app.callback()
    def _group() -> None:
        """Keeps ``place`` a command of its own while it is the only one."""

    @app.command("place")
    def place(
        site: Annotated[str, typer.Argument(help="Name of the site.")],
        latitude: Annotated[float, typer.Option(min=-90, max=90, help="Degrees, WGS 84.")],
        longitude: Annotated[float, typer.Option(min=-180, max=180, help="Degrees, WGS 84.")],
    ) -> None:
        """Say where a site stands, for the console's map."""
        asyncio.run(_place(connect_with(), site, latitude=latitude, longitude=longitude))

    return app


async def _place(info: str, site_id: str, *, latitude: float, longitude: float) -> None:
    """Connect, commit and close."""
    from psycopg import AsyncConnection  # noqa: PLC0415 - small commands answer at once

    from central.sites.service import SiteService  # noqa: PLC0415
    from central.sites.types import Position  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        position = Position(latitude=latitude, longitude=longitude)
        await SiteService(connection).place(site_id, position)
