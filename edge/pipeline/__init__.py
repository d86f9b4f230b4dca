# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a frame to passages: detect, follow, read, agree, and decide what was one vehicle."""
