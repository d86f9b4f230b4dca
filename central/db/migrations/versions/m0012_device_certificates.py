# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invitations and certificates of devices."""

from central.db.migrations.plain import run_sql_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the SQL."""
    run_sql_file("0012_pre_device_certificates.sql")
