# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where sites stand and how they are: a map, and a list that says the same."""
