# SPDX-License-Identifier: AGPL-3.0-or-later
"""The embedded stack: PostgreSQL, broker and our processes on one machine, and its command."""
