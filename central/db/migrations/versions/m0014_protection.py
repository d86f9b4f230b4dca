# SPDX-License-Identifier: AGPL-3.0-or-later
"""Data protection: unusual looks, relatives, requests of citizens."""

from central.db.migrations.plain import run_sql_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0014_pre_protection.sql")
