# SPDX-License-Identifier: AGPL-3.0-or-later
"""The services' account, roles of people, and the audit log."""

from central.db.migrations.plain import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0003_pre_audit_and_roles.sql")
