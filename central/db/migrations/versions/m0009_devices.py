# SPDX-License-Identifier: AGPL-3.0-or-later
"""What came from devices by day, and how people deal with the quarantine."""

from central.db.migrations.plain import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0009_pre_devices.sql")
