# SPDX-License-Identifier: AGPL-3.0-or-later
"""Numbers that a device gave and the centre has given up, as a view."""

from central.db.migrations.plain import run_sql_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0021_pre_lost_numbers.sql")
