# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages on which an administrator makes and changes users."""
