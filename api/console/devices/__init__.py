# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages about machines: cameras and devices, completeness, and the quarantine."""
