# SPDX-License-Identifier: AGPL-3.0-or-later
"""Papers that the local stack gave out."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.local.clock import utc_now
from deploy.local.stack import LocalStack

document_app = typer.Typer(no_args_is_help=True, help="Papers that were given out.")


@document_app.callback()
def documents() -> None:
    """Papers that were given out."""


@document_app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The PDF.", exists=True, dir_okay=False)],
) -> None:
    """Say whether a PDF is intact, by whom it was signed, and when; exit code 1 when not."""
    from central.documents.commands import verify_file  # noqa: PLC0415 - brings the PDF library

    verify_file(file, trusted_ca=LocalStack().layout.signing_key.ca_file, now=utc_now())
