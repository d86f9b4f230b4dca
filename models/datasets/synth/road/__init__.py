# SPDX-License-Identifier: AGPL-3.0-or-later
"""Inside of the rendered road: its space, vehicles, weather and camera; ``scene`` is the way in."""
