# SPDX-License-Identifier: AGPL-3.0-or-later
"""Alerts: the live list, one alert, and the alerts of a vehicle."""
