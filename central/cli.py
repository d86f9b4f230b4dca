# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command ``luuthong-central``: starts the processes and does what an administrator needs.

What only one process needs is imported by its command, so that the small commands answer at once.
"""

import asyncio
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import FrameType
from typing import Annotated

import typer

from central.audit.commands import audit_commands
from central.completeness.commands import completeness_commands
from central.db.outages import translated_outages
from central.db.pool import connection_info
from central.devices.commands import device_commands
from central.documents.commands import document_app
from central.errors import CentralError
from central.identity.administration import (
    BOOTSTRAP_USERNAME,
    create_bootstrap_administrator,
    reset_password,
)
from central.identity.areas.commands import area_commands, unit_commands
from central.identity.commands import user_commands
from central.identity.second_factor.commands import second_factor_commands
from central.identity.types import NewPassword
from central.ingest.commands import quarantine_commands
from central.jobs.commands import job_commands
from central.logging import configure_logging
from central.machines.commands import key_commands
from central.national.commands import national_commands
from central.procedures.rulebook.commands import procedure_commands
from central.protection.keeping.commands import retention_commands
from central.registry.importing.commands import registry_app
from central.settings import CentralSettings, read_settings
from central.sites.commands import site_commands
from central.tolling.commands import toll_commands

EXIT_FAILED = 1

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
admin_app = typer.Typer(no_args_is_help=True, help="People who may log in.")
app.add_typer(admin_app, name="admin")
app.add_typer(device_commands(read_settings), name="devices")
app.add_typer(completeness_commands(read_settings), name="completeness")
app.add_typer(national_commands(read_settings), name="national")
app.add_typer(quarantine_commands(read_settings), name="quarantine")
app.add_typer(retention_commands(read_settings), name="retention")
app.add_typer(registry_app, name="registry")
app.add_typer(document_app, name="document")


def _owner_info() -> str:
    """How commands of the features connect."""
    return _info(read_settings())


app.add_typer(user_commands(_owner_info), name="user")
app.add_typer(second_factor_commands(_owner_info), name="second-factor")
app.add_typer(unit_commands(_owner_info), name="unit")
app.add_typer(area_commands(_owner_info), name="area")
app.add_typer(key_commands(_owner_info), name="keys")
app.add_typer(audit_commands(_owner_info), name="audit")
app.add_typer(job_commands(_owner_info), name="job")
app.add_typer(procedure_commands(_owner_info), name="procedures")
app.add_typer(toll_commands(_owner_info), name="toll")
app.add_typer(site_commands(_owner_info), name="site")


def main() -> None:
    """Entry point."""
    with _plain_errors():
        app()


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from central.db.migrate import apply_migrations  # noqa: PLC0415

    with _plain_errors():
        settings = read_settings()
        revision = apply_migrations(
            settings.database_url, password_file=settings.database_password_file
        )
        typer.echo(f"schema is at revision {revision}")


@app.command()
def ingest() -> None:
    """Store what the devices send, until SIGTERM."""
    from central.ingest.app import run_ingest, tune_interpreter  # noqa: PLC0415

    with _plain_errors():
        settings = read_settings()
        configure_logging(settings.log_level)
        stop = threading.Event()

        def request_stop(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, request_stop)
        signal.signal(signal.SIGINT, request_stop)
        tune_interpreter()
        run_ingest(settings, stop=stop)


@app.command()
def jobs() -> None:
    """Run the periodic jobs, until SIGTERM."""
    from central.jobs.worker import run_jobs  # noqa: PLC0415

    with _plain_errors():
        settings = read_settings()
        configure_logging(settings.log_level)
        run_jobs(settings)


@admin_app.command("create")
def admin_create(
    username: Annotated[str, typer.Option(help="Name to log in with.")] = BOOTSTRAP_USERNAME,
) -> None:
    """Make an administrator and print the password, this once."""
    with _plain_errors():
        made = asyncio.run(
            create_bootstrap_administrator(
                _info(read_settings()), username=username, now=datetime.now(UTC)
            )
        )
        _print_password(made)


@admin_app.command("reset-password")
def admin_reset_password(
    username: Annotated[str, typer.Argument(help="Whose password.")] = BOOTSTRAP_USERNAME,
) -> None:
    """Give a user a new password, print it this once, and end the user's sessions."""
    with _plain_errors():
        _print_password(
            asyncio.run(
                reset_password(_info(read_settings()), username=username, now=datetime.now(UTC))
            )
        )


def _info(settings: CentralSettings) -> str:
    """How a command connects."""
    return connection_info(
        settings.database_url,
        password_file=settings.database_password_file,
        application_name="luuthong-central",
    )


def _print_password(made: NewPassword) -> None:
    """Show a new password; it is kept nowhere."""
    typer.echo(f"{made.username} {made.password}")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Show an expected failure as one line on standard error, and exit with 1."""
    try:
        with translated_outages():
            yield
    except CentralError as error:
        print(f"luuthong-central: {error}", file=sys.stderr)  # noqa: T201  # a command's own output
        raise SystemExit(EXIT_FAILED) from error
