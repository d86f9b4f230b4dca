# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the ``luuthong`` command does and shows, beyond starting and stopping."""
