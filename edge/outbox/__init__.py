# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where events wait until the centre has committed them."""
