# SPDX-License-Identifier: AGPL-3.0-or-later
"""A vehicle that was sent a moment ago, so that nobody is counted twice."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge.pipeline.bearing import Place
from models.runtime.values import BoxPx, PlateReading

FOLLOW_SIZES: Final = 1.0
"""Own sizes by which a vehicle may miss the place where it was expected. Higher finds more lost
vehicles again and takes a follower for the one before it."""
LIKE_SIZE: Final = 0.35
"""Least ratio of the smaller to the larger side of two boxes of one vehicle."""
EXPECTED_WITHIN_S: Final = 1.0
"""Longest time for which a vehicle's motion tells where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVehicle:
    """A vehicle that was sent a moment ago.

    Attributes:
        last_at: When it was last seen.
        box_px: Where that was.
        velocity_px_s: How fast it went then, right and down.
        places: Where it was lately.
    """

    last_at: datetime
    reading: PlateReading | None
    box_px: BoxPx | None
    velocity_px_s: tuple[float, float]
    places: tuple[Place, ...]

    def is_expected_at(self, box_px: BoxPx | None, moment: datetime) -> bool:
        """Whether a box is where this vehicle should be at a later moment."""
        gap_s = (moment - self.last_at).total_seconds()
        if box_px is None or self.box_px is None or not 0 < gap_s <= EXPECTED_WITHIN_S:
            return False
        (x_px, y_px), (last_x_px, last_y_px) = box_px.centre, self.box_px.centre
        x_speed, y_speed = self.velocity_px_s
        away_px = math.hypot(x_px - last_x_px - gap_s * x_speed, y_px - last_y_px - gap_s * y_speed)
        reach_px = FOLLOW_SIZES * max(box_px.width, box_px.height)
        return away_px <= reach_px and has_like_size(self.box_px, box_px)


def has_like_size(first: BoxPx | None, second: BoxPx) -> bool:
    """Whether two boxes may be of one vehicle: neither side differs too much."""
    if first is None:
        return False
    sides = ((first.width, second.width), (first.height, second.height))
    return all(min(pair) >= LIKE_SIZE * max(pair) for pair in sides)
