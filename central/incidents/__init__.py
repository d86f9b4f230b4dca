# SPDX-License-Identifier: AGPL-3.0-or-later
"""Incidents on the road and at cameras, as devices told them."""
