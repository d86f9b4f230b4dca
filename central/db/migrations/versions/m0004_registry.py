# SPDX-License-Identifier: AGPL-3.0-or-later
"""Firms, vehicles, plates and papers."""

from central.db.migrations.plain import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0004_pre_registry.sql")
