# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of provinces at a national centre, and what a province has handed up."""

from central.db.migrations.plain import run_sql_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0023_pre_national.sql")
