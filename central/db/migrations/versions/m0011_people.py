# SPDX-License-Identifier: AGPL-3.0-or-later
"""Units, areas, second factors, sessions and outside identities of people."""

from central.db.migrations.plain import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0011_pre_people.sql")
