# SPDX-License-Identifier: AGPL-3.0-or-later
"""The double-entry ledger: entries only grow, a balance is a sum."""
