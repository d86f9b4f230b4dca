# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts over time. The table is what is sent; the browser draws the picture from it."""
