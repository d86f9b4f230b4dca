# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents: the list, and one with what was told of it."""
