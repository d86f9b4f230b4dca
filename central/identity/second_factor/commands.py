# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about second factors, the same at the server and in a local stack.

What only one command needs is imported by it, so that ``--help`` answers at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from central.identity.permissions import Role

if TYPE_CHECKING:
    from central.identity.second_factor.administration import FactorAdministration

ResultT = TypeVar("ResultT")
Work = Callable[["FactorAdministration", datetime], Awaitable[ResultT]]


def second_factor_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``second-factor``.

    Args:
        connect_with: Gives the driver's connection string of the owner; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Second factors: who must have one, lost ones.")

    @app.command("require")
    def require(
        roles: Annotated[
            list[Role] | None,
            typer.Argument(
                help="Exactly these roles; without any: administrator, approver and"
                " data_protection_officer."
            ),
        ] = None,
    ) -> None:
        """Say whose role needs a second factor; all other roles need none."""
        from central.identity.second_factor.administration import (  # noqa: PLC0415
            ADVISED_ROLES,
        )

        wanted = roles or ADVISED_ROLES
        _run(connect_with, lambda factors, now: factors.require_of(wanted, now=now))
        _tell(connect_with)

    @app.command("waive")
    def waive() -> None:
        """Ask no role for a second factor any more; those who have one keep it."""
        _run(connect_with, lambda factors, now: factors.require_of((), now=now))
        _tell(connect_with)

    @app.command("show")
    def show(
        username: Annotated[
            str | None, typer.Argument(help="Whose factors; without a name: the roles.")
        ] = None,
    ) -> None:
        """Show which roles need a second factor, or what somebody has."""
        if username is None:
            _tell(connect_with)
        else:
            _tell_of(connect_with, username)

    @app.command("reset")
    def reset(
        username: Annotated[str, typer.Argument(help="Who lost the telephone or the key.")],
        *,
        proof: Annotated[
            str, typer.Option(help="How you made sure who asks, 10 to 200 characters.")
        ],
    ) -> None:
        """Forget somebody's app, security keys and recovery codes, and end their sessions.

        The audit log keeps the proof.
        """
        _run(connect_with, lambda factors, now: factors.reset(username, proof=proof, now=now))
        typer.echo(f"{username} has no second factor any more, and every session has ended")

    return app


def _tell(connect_with: Callable[[], str]) -> None:
    """Say which roles need a second factor now."""
    roles = _run(connect_with, lambda factors, _now: factors.roles())
    typer.echo("\n".join(sorted(roles)) if roles else "no role needs a second factor")


def _tell_of(connect_with: Callable[[], str], username: str) -> None:
    """Say what somebody has besides the password."""
    found = _run(connect_with, lambda factors, _now: factors.overview_of(username))
    since = f"since {found.app_added_at:%Y-%m-%d}" if found.app_added_at else "none"
    typer.echo(f"app for one-time codes: {since}")
    typer.echo(f"security keys: {found.security_keys}")
    typer.echo(f"recovery codes left: {found.recovery_codes_left}")


def _run(connect_with: Callable[[], str], work: Work[ResultT]) -> ResultT:
    """Do something with second factors in a transaction of its own."""
    return asyncio.run(_perform(connect_with(), work))


async def _perform(info: str, work: Work[ResultT]) -> ResultT:
    """Do something with second factors in a transaction of its own."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.types import Actor  # noqa: PLC0415
    from central.identity.second_factor.administration import (  # noqa: PLC0415
        COMMAND,
        FactorAdministration,
    )

    async with await AsyncConnection.connect(info) as connection:
        factors = FactorAdministration(connection, actor=Actor.command(COMMAND))
        return await work(factors, datetime.now(UTC))
