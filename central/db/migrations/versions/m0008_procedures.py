# SPDX-License-Identifier: AGPL-3.0-or-later
"""Procedures, calendar, dossiers, documents and notices."""

from central.db.migrations.plain import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0008_pre_procedures.sql")
