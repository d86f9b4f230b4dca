# SPDX-License-Identifier: AGPL-3.0-or-later
"""The double-entry ledger."""

from central.db.migrations.plain import run_sql_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0006_pre_ledger.sql")
