# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of a national centre: provinces, and the days of one."""
