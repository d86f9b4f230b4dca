# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page that shows every piece of the console in every state, for those who build and test it."""
