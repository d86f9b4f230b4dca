# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of the toll: today's stations, crossings, the queue of those that need a person."""
