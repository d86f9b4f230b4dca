# SPDX-License-Identifier: AGPL-3.0-or-later
"""Automatic vehicle control: rules, watchlists and alerts."""
