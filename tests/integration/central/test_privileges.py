# SPDX-License-Identifier: AGPL-3.0-or-later
"""The account that the services work as can't change what only grows."""

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

APPEND_ONLY = (
    "audit_entry",
    "audit_seal",
    "audit_root",
    "completeness_statement",
    "ledger_entry",
    "ledger_posting",
    "ledger_seal",
    "dossier_event",
    "erasure_record",
    "toll_crossing_event",
    "toll_day",
    "toll_day_file",
    "toll_difference",
    "toll_provider_file",
    "toll_provider_row",
    "document",
    "procedure_version",
    "working_calendar",
    "working_calendar_day",
    "working_calendar_hours",
)
CHANGES = {
    "update": "UPDATE {table} SET {column} = {column}",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_only_grows_can_not_be_changed(
    sync_connection: psycopg.Connection, table: str, change: str
) -> None:
    statement = sql.SQL(CHANGES[change]).format(
        table=sql.Identifier(table), column=sql.Identifier(_first_column(sync_connection, table))
    )

    with pytest.raises(InsufficientPrivilege):
        sync_connection.execute(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_only_grows_can_be_read_and_added_to(
    sync_connection: psycopg.Connection, table: str
) -> None:
    privileges = sync_connection.execute(
        "SELECT has_table_privilege(%(table)s, 'SELECT'), has_table_privilege(%(table)s, 'INSERT')",
        {"table": table},
    ).fetchone()

    assert privileges == (True, True)


def test_no_view_lets_what_only_grows_be_changed(sync_connection: psycopg.Connection) -> None:
    # A view works with the rights of its owner, so a view that takes changes would be a way round.
    views = sync_connection.execute(
        "SELECT view.table_name"
        "  FROM information_schema.views AS view"
        "  INNER JOIN information_schema.view_table_usage AS usage"
        "     ON usage.view_name = view.table_name AND usage.view_schema = view.table_schema"
        " WHERE view.is_updatable = 'YES' AND usage.table_name = ANY(%s)",
        [list(APPEND_ONLY)],
    ).fetchall()

    assert views == []


def test_no_table_that_only_grows_is_missing_here(sync_connection: psycopg.Connection) -> None:
    found = sync_connection.execute(
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        "   AND has_table_privilege(oid, 'INSERT') AND NOT has_table_privilege(oid, 'UPDATE')"
        "   AND NOT has_table_privilege(oid, 'DELETE')"
    ).fetchall()

    assert {name for (name,) in found} == set(APPEND_ONLY)


def test_the_account_is_no_superuser_and_owns_nothing(sync_connection: psycopg.Connection) -> None:
    role = sync_connection.execute(
        "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
        "  FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    owned = sync_connection.execute(
        "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        " AND relpersistence <> 't'"
    ).fetchone()
    memberships = sync_connection.execute(
        "SELECT count(*) FROM pg_auth_members WHERE member = current_user::regrole"
    ).fetchone()

    assert role == ("luuthong_app", False, False, False, False, False)
    assert (owned, memberships) == ((0,), (0,))


def test_the_account_can_not_make_tables_or_say_which_migrations_ran(
    sync_connection: psycopg.Connection,
) -> None:
    for statement in (
        "CREATE TABLE own (id int)",
        "UPDATE alembic_version SET version_num = 'x'",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(InsufficientPrivilege), sync_connection.transaction():
            sync_connection.execute(statement)


def _first_column(connection: psycopg.Connection, table: str) -> str:
    """Any column of a table."""
    row = connection.execute(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND attidentity = '' LIMIT 1",
        [table],
    ).fetchone()
    assert row is not None
    return str(row[0])
