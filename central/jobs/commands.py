# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about jobs that were given up, the same at the server and in a local stack."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

ROWS_MAX: Final = 100
EXIT_FAILED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _FailedJob:
    """A job that was given up; its arguments are ids."""

    id: int
    task: str
    arguments: dict[str, str | int | bool]
    attempts: int


def job_commands(connect_with: Callable[[], str]) -> typer.Typer:
    """The commands, for a program to add as ``job``.

    Args:
        connect_with: Gives the driver's connection string; called by a command only.
    """
    app = typer.Typer(no_args_is_help=True, help="Jobs that were given up.")

    @app.command("failed")
    def failed() -> None:
        """Show the newest jobs that were given up."""
        table = Table("job", "task", "arguments", "attempts")
        for each in _failed(connect_with()):
            facts = ", ".join(f"{name}={value}" for name, value in each.arguments.items())
            table.add_row(str(each.id), each.task, facts, str(each.attempts))
        Console().print(table)

    @app.command("retry")
    def retry(job_id: Annotated[int, typer.Argument(min=1, help="The job's number.")]) -> None:
        """Queue a job that was given up once more."""
        task = _retry(connect_with(), job_id)
        if task is None:
            typer.echo(f"no job {job_id} was given up", err=True)
            raise typer.Exit(EXIT_FAILED)
        typer.echo(f"{task} is queued again")

    return app


def _failed(info: str) -> list[_FailedJob]:
    import psycopg  # noqa: PLC0415 - commands that need no database answer at once
    from psycopg.rows import class_row  # noqa: PLC0415

    from central.jobs.work import QUERIES  # noqa: PLC0415

    with (
        psycopg.connect(info) as connection,
        connection.cursor(row_factory=class_row(_FailedJob)) as cursor,
    ):
        cursor.execute(QUERIES["select_failed_jobs"], {"rows_max": ROWS_MAX})
        return cursor.fetchall()


def _retry(info: str, job_id: int) -> str | None:
    """Name of the task that is queued again; ``None`` when no such job was given up."""
    import psycopg  # noqa: PLC0415

    from central.jobs.work import QUERIES  # noqa: PLC0415

    with psycopg.connect(info) as connection:
        row = connection.execute(QUERIES["retry_failed_job"], {"job_id": job_id}).fetchone()
    return None if row is None else str(row[0])
