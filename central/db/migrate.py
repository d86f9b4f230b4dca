# SPDX-License-Identifier: AGPL-3.0-or-later
"""Brings a database's schema up to date."""

from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from central.db.pool import connection_info
from central.errors import CentralUnavailableError, MigrationError

MIGRATIONS_FOLDER: Final = Path(__file__).resolve().parent / "migrations"
LOCK_ID: Final = 0x6C75_7574_686F
"""Advisory lock held while migrating, so that two servers starting at once take turns."""


def apply_migrations(database_url: str, *, password_file: Path | None = None) -> str:
    """Run every migration that the database has not seen, and return the revision it is at.

    Running it again changes nothing. Each migration is one transaction; a failed one leaves the
    database at the revision before it.

    Args:
        database_url: Address of the database, ``postgresql://…``.
        password_file: File with the password, if one is needed.

    Raises:
        CentralUnavailableError: The database can't be reached.
        MigrationError: A migration failed.
    """
    info = connection_info(
        database_url, password_file=password_file, application_name="luuthong-migrate"
    )
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.Connection.connect(info),
        poolclass=sqlalchemy.pool.NullPool,
    )
    try:
        with engine.connect() as lock_holder, engine.connect() as connection:
            # An open transaction would be waited for by an index that is made concurrently.
            lock_holder.execution_options(isolation_level="AUTOCOMMIT")
            lock_holder.execute(sqlalchemy.text("SELECT pg_advisory_lock(:id)"), {"id": LOCK_ID})
            configuration = alembic_configuration()
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
            connection.commit()
            return MigrationContext.configure(connection).get_current_revision() or ""
    except (DBAPIError, psycopg.Error) as error:
        raise _translated(error) from error
    finally:
        engine.dispose()


def newest_revision() -> str:
    """Revision that a database has after every migration ran."""
    return ScriptDirectory.from_config(alembic_configuration()).get_current_head() or ""


def alembic_configuration() -> Config:
    """Alembic's configuration, made in code: there is nothing to choose."""
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS_FOLDER).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _translated(error: DBAPIError | psycopg.Error) -> CentralUnavailableError | MigrationError:
    """Our error for what the driver said."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
        return CentralUnavailableError("the database can't be reached")
    return MigrationError(f"a migration failed: {cause}")
