# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passages counted by minute, hour and day."""

from central.db.migrations.plain import run_sql_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0016_pre_traffic_rollups.sql")
