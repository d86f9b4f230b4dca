# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about the audit log, the same at the server and in a local stack."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from central.audit.roots import DayRoot
    from central.audit.types import AuditProof
    from central.domain.hash_chain import ChainLink

COMMAND: Final = "luuthong audit"
EXIT_BROKEN: Final = 2
ROOTS_SHOWN_MAX: Final = 20


def audit_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``audit``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="The audit log.")

    @app.command("verify")
    def verify(
        head: Annotated[
            str, typer.Option(help="An end of the chain noted earlier, as POSITION:HASH.")
        ] = "",
        roots: Annotated[
            Path | None,
            typer.Option(help="Daily roots that were kept elsewhere."),
        ] = None,
        ca: Annotated[
            Path | None,
            typer.Option(help="Certificate (PEM) that must have issued the roots' signers."),
        ] = None,
    ) -> None:
        """Prove that nothing in the log was changed, removed or inserted; exit code 2 if it was."""
        kept = _kept(roots) if roots is not None else ()
        unsigned = _unsigned(kept, ca)
        proof = asyncio.run(_verify(connect_with(), noted=_noted(head), roots=kept))
        for line in (*_told_of_roots(kept, unsigned), *_told(proof)):
            typer.echo(line)
        if not proof.is_whole or unsigned:
            raise typer.Exit(EXIT_BROKEN)

    @app.command("roots")
    def roots_command(
        out: Annotated[
            Path | None, typer.Option(help="File to write; printed when absent.")
        ] = None,
    ) -> None:
        """Write where the chain stood at the end of each day, for keeping outside of the house."""
        from central.audit.roots import file_of  # noqa: PLC0415

        content = file_of(asyncio.run(_roots(connect_with())))
        if out is None:
            typer.echo(content.decode(), nl=False)
        else:
            out.write_bytes(content)

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


def _kept(path: Path) -> "tuple[DayRoot, ...]":
    """Roots of a file that somebody kept."""
    from central.audit.roots import FILE_BYTES_MAX, read_file  # noqa: PLC0415
    from central.audit.types import RootsUnreadableError  # noqa: PLC0415

    try:
        with path.open("rb") as file:
            return read_file(file.read(FILE_BYTES_MAX + 1))
    except (OSError, RootsUnreadableError) as error:
        raise typer.BadParameter(f"no file of roots: {error}") from error


def _unsigned(roots: "Sequence[DayRoot]", ca: Path | None) -> "list[DayRoot]":
    """Roots whose signature is wrong, or missing although an authority was named."""
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    from central.audit.roots import has_good_signature  # noqa: PLC0415

    try:
        trusted = load_pem_x509_certificate(ca.read_bytes()) if ca is not None else None
    except (OSError, ValueError) as error:
        raise typer.BadParameter("the authority's certificate can't be read") from error
    return [
        root
        for root in roots
        if (trusted is not None or root.signature is not None)
        and not has_good_signature(root, trusted_ca=trusted)
    ]


def _told_of_roots(roots: "Sequence[DayRoot]", unsigned: "Sequence[DayRoot]") -> list[str]:
    """What a file of roots is worth, in lines."""
    if not roots:
        return []
    signed = sum(root.signature is not None for root in roots)
    lines = [f"{len(roots)} daily roots, {signed} of them signed"]
    shown = unsigned[:ROOTS_SHOWN_MAX]
    return lines + [f"  bad or missing signature: {root.day}" for root in shown]


async def _roots(info: str) -> "tuple[DayRoot, ...]":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.service import ROOTS_PAGE_MAX, AuditService  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        newest_first = await AuditService(connection).roots(size=ROOTS_PAGE_MAX)
    return newest_first[::-1]


async def _verify(
    info: str, *, noted: "ChainLink | None", roots: "Sequence[DayRoot]"
) -> "AuditProof":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.audit.service import AuditService  # noqa: PLC0415
    from central.audit.types import Actor  # noqa: PLC0415

    async with await AsyncConnection.connect(info) as connection:
        return await AuditService(connection).verify(
            actor=Actor.command(COMMAND), now=datetime.now(UTC), noted=noted, roots=roots
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
