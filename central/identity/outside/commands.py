# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands that link somebody's account to one at the provider.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from central.identity.outside.linking import OutsideLinks

Username = Annotated[str, typer.Argument(help="Name to log in with.")]
Work = Callable[["OutsideLinks", datetime], Awaitable[None]]


def add_outside_commands(app: typer.Typer, connect_with: Callable[[], str]) -> None:
    """Add the commands to those about users."""

    @app.command("link-outside")
    def link(
        username: Username,
        *,
        issuer: Annotated[str, typer.Option(help="The provider, exactly as it calls itself.")],
        subject: Annotated[
            str, typer.Option(help="Unchanging identifier (sub) of the person at the provider.")
        ],
    ) -> None:
        """Let somebody sign in by the outside identity provider."""
        _run(
            connect_with,
            lambda links, now: links.link(username, issuer=issuer, subject=subject, now=now),
        )

    @app.command("unlink-outside")
    def unlink(username: Username) -> None:
        """Take every outside account from a user and end the sessions that they opened."""
        _run(connect_with, lambda links, now: links.unlink(username, now=now))


def _run(connect_with: Callable[[], str], work: Work) -> None:
    """Change links in a transaction of its own."""
    asyncio.run(_perform(connect_with(), work))


async def _perform(info: str, work: Work) -> None:
    """Change links in a transaction of its own."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.identity.administration import COMMAND  # noqa: PLC0415
    from central.identity.outside.linking import OutsideLinks  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        await work(OutsideLinks(connection, actor=Actor.command(COMMAND)), datetime.now(UTC))
