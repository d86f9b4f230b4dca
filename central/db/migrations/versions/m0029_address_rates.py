# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often an address tried something is counted for all processes together."""

from central.db.migrations.plain import run_sql_file

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0029_pre_address_rates.sql")
