# SPDX-License-Identifier: AGPL-3.0-or-later
"""The first page of a shift: what passes now, what needs somebody, and today in numbers."""
