# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a plate is made: punches, workshops, the sheet with its rows of glyphs."""
