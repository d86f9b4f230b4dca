# SPDX-License-Identifier: AGPL-3.0-or-later
"""Figures of whole provinces, handed up to a national centre; nothing in them is about a person."""
