# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who calls, from where, and what a browser may do with the answer."""
