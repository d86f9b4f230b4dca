# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON for machines, version 1."""
