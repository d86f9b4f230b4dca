# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ingest's way to the broker: a port, and an adapter for each kind of broker."""
