# SPDX-License-Identifier: AGPL-3.0-or-later
"""Training of the networks that look at one plate: its corners, then its text."""
