# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of the dossiers: the list by appointment, taking one in, one with everything about it."""
