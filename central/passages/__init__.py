# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passages: searching them, looking at one, and following new ones."""
