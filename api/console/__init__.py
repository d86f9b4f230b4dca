# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages for officials: HTML made on the server, Vietnamese first, usable without scripts."""
