# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a plate detector gives by mistake: plates of other countries, lettering, signs, parts."""
