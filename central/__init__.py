# SPDX-License-Identifier: AGPL-3.0-or-later
"""Central service: stores what devices see and ties it to control, toll and procedures."""
