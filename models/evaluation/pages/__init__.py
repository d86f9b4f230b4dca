# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people look at: the report with its plots, and the gallery of failures."""
