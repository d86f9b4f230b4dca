# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stations, lanes, tariffs, accounts and tags from files, and money onto accounts."""
