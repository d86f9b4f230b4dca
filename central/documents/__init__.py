# SPDX-License-Identifier: AGPL-3.0-or-later
"""Papers that the authority gives out: typeset, signed, kept."""
