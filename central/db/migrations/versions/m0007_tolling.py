# SPDX-License-Identifier: AGPL-3.0-or-later
"""Electronic toll."""

from central.db.migrations.plain import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0007_pre_tolling.sql")
