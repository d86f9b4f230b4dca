# SPDX-License-Identifier: AGPL-3.0-or-later
"""Procedures and the official calendar: what their files say, checked, and kept by version."""
