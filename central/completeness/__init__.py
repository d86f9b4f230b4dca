# SPDX-License-Identifier: AGPL-3.0-or-later
"""Proof that everything came that devices numbered: the ledger, its gaps, and its statements."""
