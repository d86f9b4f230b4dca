# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic minutes, incidents and notices about pictures."""

from central.db.migrations.plain import run_sql_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0020_pre_streams.sql")
