# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands of ``luuthong-models``, one module for each group of them."""
