# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long rows are kept by purpose, and records of what was erased by date."""

from central.db.migrations.plain import run_sql_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0022_pre_retention.sql")
