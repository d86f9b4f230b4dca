# SPDX-License-Identifier: AGPL-3.0-or-later
"""From an empty database to the schema that is written down."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from central.db.migrate import apply_migrations, newest_revision
from central.db.schema import SCHEMA_FILE, describe_schema
from central.errors import CentralUnavailableError, MigrationError

if TYPE_CHECKING:
    from tests.integration.central.conftest import Cluster


@pytest.fixture
def empty_database_url(cluster: "Cluster") -> Iterator[str]:
    name = sql.Identifier(f"empty_{uuid4().hex}")
    with psycopg.Connection.connect(cluster.dsn("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield cluster.dsn(name.as_string().strip('"'))
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_an_empty_database_becomes_what_the_schema_file_says(empty_database_url: str) -> None:
    revision = apply_migrations(empty_database_url)

    assert revision == newest_revision()
    with psycopg.Connection.connect(empty_database_url) as connection:
        assert describe_schema(connection) == SCHEMA_FILE.read_text("utf-8")


def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert apply_migrations(database_url) == newest_revision()


def test_a_failed_migration_leaves_the_database_as_it_was(empty_database_url: str) -> None:
    with psycopg.Connection.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE site (id int)")

        with pytest.raises(MigrationError, match="site"):
            apply_migrations(empty_database_url)

        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' ORDER BY relname"
        ).fetchall()
    assert ("passage",) not in tables


def test_a_database_that_is_not_there_is_named_as_the_problem() -> None:
    with pytest.raises(CentralUnavailableError):
        apply_migrations("postgresql://luuthong@127.0.0.1:1/nowhere")


def test_the_database_itself_refuses_a_device_without_a_site(
    rows: psycopg.Connection, count: Callable[[str], int]
) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        rows.execute(
            "INSERT INTO device (id, site_id, secret_hash, secret_set_at)"
            " VALUES ('gate-1', 'nowhere', sha256('x'), now())"
        )

    assert count("device") == 0
