# SPDX-License-Identifier: AGPL-3.0-or-later
"""Partial and look-alike plates, a site's passages and unread plates are found by an index."""

from central.db.migrations.plain import run_sql_file, run_statements_alone

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0019_pre_plate_fold.sql")
    run_statements_alone("0019_pre_passage_indexes.sql")
