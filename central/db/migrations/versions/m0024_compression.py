# SPDX-License-Identifier: AGPL-3.0-or-later
"""Old chunks are compressed where the licence allows it."""

from central.db.migrations.plain import run_sql_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0024_pre_compression.sql")
