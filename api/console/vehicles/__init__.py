# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of the registry: finding a vehicle, and everything about one, after a reason is given."""
