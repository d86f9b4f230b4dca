# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often one address may try something, counted for all processes together."""
