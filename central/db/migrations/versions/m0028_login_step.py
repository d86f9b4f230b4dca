# SPDX-License-Identifier: AGPL-3.0-or-later
"""A waiting login does not say what was proved: it was a password always."""

from central.db.migrations.plain import run_sql_file

revision = "0028"
down_revision = "0024"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0028_post_login_step.sql")
