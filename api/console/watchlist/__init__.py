# SPDX-License-Identifier: AGPL-3.0-or-later
"""The watchlist: plates that somebody looks for."""
