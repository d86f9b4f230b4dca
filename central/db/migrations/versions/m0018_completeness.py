# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gaps, statements about completeness, mended messages, and told silences."""

from central.db.migrations.plain import run_sql_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0018_pre_completeness.sql")
