# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fresh pictures that people ask for."""

from central.db.migrations.plain import run_sql_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0013_pre_live_frames.sql")
