# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures that prove a passage, named by their digest."""
