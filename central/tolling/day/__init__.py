# SPDX-License-Identifier: AGPL-3.0-or-later
"""A toll station's day: closed with sums that the ledger proves, and compared with providers."""
