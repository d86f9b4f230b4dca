# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ingest: messages from the broker become committed rows, and only then are acknowledged."""
