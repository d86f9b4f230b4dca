# SPDX-License-Identifier: AGPL-3.0-or-later
"""A province's side: what has changed since the national centre last answered goes up to it."""
