# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about completeness: a device's numbers, the statement about a day, and its proof."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from central.completeness.errors import StatementUnreadableError
from central.db.pool import connection_info
from central.documents.commands import verify_file as verify_pdf
from central.domain.local_time import local_date, terminal_time
from central.errors import SettingsError
from central.settings import CentralSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from central.completeness.statement import StatementReport
    from central.completeness.stating import Stated
    from central.sites.types import Completeness

COMMAND: Final = "luuthong-central completeness"
EXIT_FAILED: Final = 1
PDF_SUFFIX: Final = ".pdf"


def completeness_commands(read: Callable[[], CentralSettings]) -> typer.Typer:
    """The commands, for a program to add as ``completeness``.

    Args:
        read: Reads the process's settings; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Captured = stored: proofs and statements.")
    _add_device(app, read)
    _add_statement(app, read)
    _add_verify(app, read)
    return app


def _add_device(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("device")
    def device(
        device_id: Annotated[str, typer.Argument(help="Name of the device.")],
    ) -> None:
        """Prove for every outbox of a device: first, last, missing, doubled."""
        from rich.console import Console  # noqa: PLC0415 - only this command makes a table
        from rich.table import Table  # noqa: PLC0415

        table = Table(
            "outbox", "first", "last", "stored", "quarantined", "missing", "doubled", "late"
        )
        for each in asyncio.run(_proofs(read(), device_id)):
            table.add_row(
                str(each.outbox_id),
                str(each.first_seq),
                str(each.last_seq),
                str(each.stored_count),
                str(each.quarantined_count),
                str(each.missing_count),
                str(each.doubled_count),
                str(each.late_count),
            )
        Console().print(table)


def _add_statement(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("statement")
    def statement(
        day: Annotated[
            str, typer.Option(help="The day, as 2026-11-28; the day before when absent.")
        ] = "",
        out: Annotated[
            Path | None,
            typer.Option(help="Folder to write both files to.", file_okay=False, exists=True),
        ] = None,
    ) -> None:
        """State what the ledger of a day says, signed; the same again makes no second one."""
        now = datetime.now(UTC)
        chosen = _day(day, now=now)
        stated = asyncio.run(_state(read(), chosen, out=out, now=now))
        kept = stated.statement
        typer.echo(
            f"{kept.day} revision {kept.revision} of {terminal_time(kept.made_at)}"
            f"{'' if stated.is_new else ' (there already)'}"
        )
        typer.echo(
            f"captured {kept.due_count}, stored {kept.stored_count}, gaps {kept.gap_count}; "
            f"{f'signed by {kept.signed_by}' if kept.signed_by else 'NOT SIGNED: no key is set'}"
        )


def _add_verify(app: typer.Typer, read: Callable[[], CentralSettings]) -> None:
    @app.command("verify")
    def verify(
        file: Annotated[Path, typer.Argument(help="JSON or PDF.", exists=True, dir_okay=False)],
        ca: Annotated[
            Path | None,
            typer.Option(help="Certificate of the trusted authority (PEM); else the setting's."),
        ] = None,
    ) -> None:
        """Say whether a statement is what the house signed; exit code 1 when it was changed."""
        trusted_ca = ca or _trusted_ca(read())
        if file.suffix.lower() == PDF_SUFFIX:
            verify_pdf(file, trusted_ca=trusted_ca, now=datetime.now(UTC))
            return
        report = _report(file, trusted_ca=trusted_ca)
        for line in verdict(report):
            typer.echo(line)
        if not report.is_good:
            raise typer.Exit(EXIT_FAILED)


def verdict(report: "StatementReport") -> tuple[str, ...]:
    """What a report means, in plain words; the first line is the answer."""
    statement = report.statement
    figures = statement.figures
    about = (
        f"Day {statement.day}, revision {statement.revision}.",
        f"Captured {figures.due}, stored {figures.stored}, gaps {figures.gaps}.",
        f"SHA-256 {report.sha256}",
    )
    if not report.is_signed:
        return ("NOT SIGNED. The file bears no signature.", *about)
    if not report.is_intact:
        return ("NOT VALID. The file was changed after it was signed.", *about)
    if not statement.adds_up:
        return ("NOT VALID. Its figures do not add up.", *about)
    if not report.is_trusted:
        return ("NOT TRUSTED. Intact, but the signer's certificate is unknown here.", *about)
    return ("VALID. The file is intact, and the signer is trusted.", *about, report.signer)


def _report(file: Path, *, trusted_ca: Path) -> "StatementReport":
    """What is to be said of a signed file.

    Raises:
        SettingsError: The authority's certificate can't be read.
        StatementUnreadableError: The file is none of ours, or was changed.
    """
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    from central.completeness.statement import FILE_BYTES_MAX, verify_file  # noqa: PLC0415

    try:
        authority = load_pem_x509_certificate(trusted_ca.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"can't read the certificate {trusted_ca.name}") from error
    try:
        with file.open("rb") as opened:
            return verify_file(opened.read(FILE_BYTES_MAX + 1), trusted_ca=authority)
    except StatementUnreadableError as error:
        raise StatementUnreadableError(f"NOT VALID. {file.name}: {error.problem}.") from error
    except OSError as error:
        raise StatementUnreadableError(f"{file.name} can't be opened") from error


def _day(text: str, *, now: datetime) -> date:
    """A day as a person types it."""
    if not text:
        return local_date(now) - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("need a day, as 2026-11-28") from error


def _trusted_ca(settings: CentralSettings) -> Path:
    """The authority's certificate that the settings name."""
    if settings.documents.ca_file is None:
        raise SettingsError("which authority is trusted? Set …DOCUMENTS__CA_FILE or give --ca")
    return settings.documents.ca_file


async def _proofs(settings: CentralSettings, device_id: str) -> "Sequence[Completeness]":
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.sites.service import SiteService  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        return await SiteService(connection).completeness(device_id)


async def _state(
    settings: CentralSettings, day: date, *, out: Path | None, now: datetime
) -> "Stated":
    """Make the statement, and write its files where somebody wants them."""
    from psycopg import AsyncConnection  # noqa: PLC0415

    from central.completeness.stating import StatementMaker  # noqa: PLC0415
    from central.documents.signing import signing_key  # noqa: PLC0415

    async with await AsyncConnection.connect(_info(settings)) as connection:
        maker = StatementMaker(
            connection, office=settings.office, key=signing_key(settings.documents)
        )
        stated = await maker.state(day, maker=COMMAND, now=now)
        if out is not None:
            file, paper = await maker.files(stated.statement)
            name = f"completeness-{day}-{stated.statement.revision}"
            await asyncio.to_thread((out / f"{name}.json").write_bytes, file)
            await asyncio.to_thread((out / f"{name}{PDF_SUFFIX}").write_bytes, paper)
    return stated


def _info(settings: CentralSettings) -> str:
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-central",
    )
