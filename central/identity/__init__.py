# SPDX-License-Identifier: AGPL-3.0-or-later
"""People: who they are, how they prove it, and for how long that holds."""
