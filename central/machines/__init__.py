# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs that call the api: what they may do, and the keys by which they are known."""
