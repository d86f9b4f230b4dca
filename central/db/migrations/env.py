# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alembic's entry point: runs the steps on the connection that ``central.db.migrate`` made."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
