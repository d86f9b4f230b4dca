# SPDX-License-Identifier: AGPL-3.0-or-later
"""Watchlists and alerts."""

from central.db.migrations.plain import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0005_pre_control.sql")
