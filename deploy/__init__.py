# SPDX-License-Identifier: AGPL-3.0-or-later
"""How Luuthong is set up and run."""
