# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``document``: says in plain words whether a PDF is what its signer signed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from central.documents.errors import UnreadablePdfError
from central.domain.local_time import to_local
from central.errors import CentralError, SettingsError
from central.settings import read_settings

if TYPE_CHECKING:
    from central.documents.verification import SignatureReport

EXIT_FAILED: Final = 1

document_app = typer.Typer(no_args_is_help=True, help="Papers that were given out.")


@document_app.callback()
def documents() -> None:
    """Papers that were given out."""


@document_app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The PDF.", exists=True, dir_okay=False)],
    *,
    ca: Annotated[
        Path | None,
        typer.Option(help="Certificate of the trusted authority (PEM); else the setting's."),
    ] = None,
) -> None:
    """Say whether a PDF is intact, by whom it was signed, and when; exit code 1 when not."""
    try:
        verify_file(file, trusted_ca=ca or _trusted_ca(), now=datetime.now(UTC))
    except CentralError as error:
        typer.echo(f"luuthong-central: {error}", err=True)
        raise typer.Exit(EXIT_FAILED) from None


def verify_file(file: Path, *, trusted_ca: Path, now: datetime) -> None:
    """Print what is to be said of a PDF, and end the command with 1 unless all is well."""
    from central.documents.verification import (  # noqa: PLC0415 - brings the PDF library
        PDF_BYTES_MAX,
        verify_pdf_now,
    )

    try:
        with file.open("rb") as opened:
            report = verify_pdf_now(opened.read(PDF_BYTES_MAX + 1), trusted_ca=trusted_ca, now=now)
    except (OSError, UnreadablePdfError) as error:
        reason = error if isinstance(error, UnreadablePdfError) else "it can't be opened"
        typer.echo(f"NOT VALID. {file.name}: {reason}.")
        raise typer.Exit(EXIT_FAILED) from None
    for line in verdict(report):
        typer.echo(line)
    if not report.is_good:
        raise typer.Exit(EXIT_FAILED)


def verdict(report: "SignatureReport") -> tuple[str, ...]:
    """What a report means, in plain words; the first line is the answer."""
    if report.signatures == 0:
        return ("NOT SIGNED. The PDF bears no signature.",)
    when = "at a time that it does not state"
    if report.signed_at is not None:
        local = to_local(report.signed_at)
        when = f"on {local:%d/%m/%Y} at {local:%H:%M:%S} (Vietnam; the signer's clock)"
    return (
        _answer(report),
        f"Signed by {report.signer}, {when}.",
        f"Vouched for by {report.issuer}.",
    )


def _answer(report: "SignatureReport") -> str:
    if not report.is_intact:
        return "NOT VALID. The PDF was changed after it was signed."
    if not report.covers_whole_file:
        return "NOT VALID. Something was added to the PDF after it was signed."
    if not report.is_trusted:
        return "NOT TRUSTED. Intact, but the signer's certificate is unknown here, or has expired."
    return "VALID. The PDF is intact, and the signer is trusted."


def _trusted_ca() -> Path:
    """The authority's certificate that the settings name."""
    ca_file = read_settings().documents.ca_file
    if ca_file is None:
        raise SettingsError("which authority is trusted? Set …DOCUMENTS__CA_FILE or give --ca")
    return ca_file
