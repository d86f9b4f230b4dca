# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic of days, months and years in numbers."""
