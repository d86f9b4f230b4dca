# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about the audit log, the same at the server and in a local stack."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from central.audit.types import AuditProof
    from central.domain.hash_chain import ChainLink

COMMAND: Final = "luuthong audit"
EXIT_BROKEN: Final = 2


def audit_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``audit``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="The audit log.")

    @app.callback()
    def _group() -> None:
        """Keeps ``verify`` a command of its own while it is the only one."""

    @app.command("verify")
    def verify(
        head: Annotated[
            str, typer.Option(help="An end of the chain noted earlier, as POSITION:HASH.")
        ] = "",
    ) -> None:
        """Prove that nothing in the log was changed, removed or inserted; exit code 2 if it was."""
        proof = asyncio.run(_verify(connect_with(), noted=_noted(head)))
        for line in _told(proof):
            typer.echo(line)
        if not proof.is_whole:
            raise typer.Exit(EXIT_BROKEN)

    return app


def _noted(text: str) -> "ChainLink | None":
    """An end of the chain as a person noted it."""
    from central.domain.hash_chain import ChainLink  # noqa: PLC0415

    if not text:
        return None
    position, _, digest = text.partition(":")
    try:
        return ChainLink(position=int(position), hash=bytes.fromhex(digest))
    except ValueError as error:
        raise typer.BadParameter("need POSITION:HASH, as verify prints it") from error


async def _verify(info: str, *, noted: "ChainLink | None") -> "AuditProof":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.service import AuditService  # noqa: PLC0415
    from central.audit.types import Actor  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await AuditService(connection).verify(
            actor=Actor.command(COMMAND), now=datetime.now(UTC), noted=noted
        )


def _told(proof: "AuditProof") -> list[str]:
    """The result in lines."""
    lines = [
        f"{proof.entries} sealed entries, {proof.waiting} waiting for their seal",
        f"head {proof.head.position}:{proof.head.hash.hex()}",
    ]
    if proof.is_whole:
        return [*lines, "nothing was changed, removed or inserted"]
    lines.append(f"{proof.problem_count} problems, the first of them:")
    for each in proof.problems:
        places = [
            *([f"position {each.position}"] if each.position is not None else []),
            *([f"entry {each.entry_id}"] if each.entry_id is not None else []),
        ]
        lines.append(f"  {each.fault}: {', '.join(places)}")
    return lines
