# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finds or installs everything that Luuthong needs and a fresh machine lacks."""
