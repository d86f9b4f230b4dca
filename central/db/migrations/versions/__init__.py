# SPDX-License-Identifier: AGPL-3.0-or-later
"""One module per migration, only to tell Alembic the order; the SQL lies one folder up."""
