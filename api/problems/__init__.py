# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the errors of the centre look to a caller, one module per part of the centre."""
