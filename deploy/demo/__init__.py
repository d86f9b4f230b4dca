# SPDX-License-Identifier: AGPL-3.0-or-later
"""``luuthong demo``: plays a road through the whole system, compares the result with truth."""
