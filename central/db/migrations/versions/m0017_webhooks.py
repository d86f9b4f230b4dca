# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks, what they tell, and how it was delivered."""

from central.db.migrations.plain import run_sql_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0017_pre_webhooks.sql")
