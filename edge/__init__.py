# SPDX-License-Identifier: AGPL-3.0-or-later
"""Roadside service: camera to passage event."""
