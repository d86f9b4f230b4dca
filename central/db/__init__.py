# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database: connections, named queries, migrations and the schema they make."""
