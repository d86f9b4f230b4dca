# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps the counts of minutes, hours and days true to the passages behind them."""
