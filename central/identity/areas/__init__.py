# SPDX-License-Identifier: AGPL-3.0-or-later
"""Units that people belong to, and areas: named groups of sites that they may be confined to."""
