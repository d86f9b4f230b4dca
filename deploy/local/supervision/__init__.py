# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting processes, keeping them running and stopping them without leaving an orphan."""
