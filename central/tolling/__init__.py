# SPDX-License-Identifier: AGPL-3.0-or-later
"""Electronic toll: stations, tags, tariffs, crossings, reconciliation."""
