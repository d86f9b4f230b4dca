# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages about programs: their keys, and where events are sent to."""
