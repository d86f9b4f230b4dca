# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys of personal facts in the audit log, and the daily roots of its chain."""

from central.db.migrations.plain import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0010_pre_audit_keys.sql")
