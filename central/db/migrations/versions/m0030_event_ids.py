# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ids of events have an end."""

from central.db.migrations.plain import run_sql_file, run_statements_alone

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0030_pre_event_ids.sql")
    run_statements_alone("0030_pre_event_id_index.sql")
