# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closed alerts and settled messages of the quarantine are erased by date, too."""

from central.db.migrations.plain import run_sql_file

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0032_pre_closed_retention.sql")
