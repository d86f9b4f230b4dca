# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sites, devices, passages, evidence, quarantine, completeness, users."""

from central.db.migrations.plain import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0001_pre_foundation.sql")
