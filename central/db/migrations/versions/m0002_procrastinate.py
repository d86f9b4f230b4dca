# SPDX-License-Identifier: AGPL-3.0-or-later
"""The job queue's own tables."""

from central.db.migrations.plain import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0002_pre_procrastinate.sql")
