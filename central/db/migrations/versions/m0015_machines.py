# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs, their keys, and the answers they were given."""

from central.db.migrations.plain import run_sql_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0015_pre_machines.sql")
