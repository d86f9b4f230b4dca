# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs a plain SQL file inside an Alembic step, with limits that keep a live system alive."""

from pathlib import Path
from typing import Final

import psycopg
from alembic import op

from central.errors import MigrationError

FOLDER: Final = Path(__file__).resolve().parent
LOCK_TIMEOUT: Final = "4s"
"""How long a step may wait for a lock: longer would queue the live system behind it."""

STATEMENT_TIMEOUT: Final = "5s"


def run_sql_file(name: str) -> None:
    """Run one file as it is, in the transaction of the step.

    Raises:
        MigrationError: The step does not run on a psycopg connection.
    """
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise MigrationError("migrations need a psycopg connection")
    connection.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
    connection.execute("SELECT set_config('statement_timeout', %s, true)", [STATEMENT_TIMEOUT])
    connection.execute((FOLDER / name).read_bytes())


def run_statements_alone(name: str) -> None:
    """Run the statements of one file each in a transaction of its own, or in none.

    For indexes of big tables. The step's transaction is committed before; when a statement fails,
    the step is not finished and runs again from its beginning, so that all of it must bear that.

    Raises:
        MigrationError: The step does not run on a psycopg connection.
    """
    statements = (FOLDER / name).read_text("utf-8").split(";\n")
    with op.get_context().autocommit_block():
        connection = op.get_bind().connection.driver_connection
        if not isinstance(connection, psycopg.Connection):
            raise MigrationError("migrations need a psycopg connection")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        for statement in statements:
            if statement.strip():
                connection.execute(statement.encode())
        connection.execute("SELECT set_config('lock_timeout', '0', false)")
