# SPDX-License-Identifier: AGPL-3.0-or-later
"""Machines at the roadside: their accounts at the broker and their certificates."""
