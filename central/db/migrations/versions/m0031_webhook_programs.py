# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs register webhooks of their own, and changes say which version they saw."""

from central.db.migrations.plain import run_sql_file

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0031_pre_webhook_programs.sql")
