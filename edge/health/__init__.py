# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the device and its cameras feel, as its heartbeat tells the centre."""
