# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks of a file against the registry."""
