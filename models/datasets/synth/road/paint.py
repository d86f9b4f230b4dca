# SPDX-License-Identifier: AGPL-3.0-or-later
"""A sheet that vehicle faces are drawn on, in metres instead of pixels."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.datasets.synth.road.space import Face, PointsM, make_face

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""

Place = tuple[float, float]
"""A point of a sheet: metres right of its middle, metres above its lower edge."""

SHIFT: Final = 4
GLASS_TOP: Final[Colour] = (150, 138, 120)
GLASS_LOW: Final[Colour] = (42, 36, 32)
RUBBER: Final[Colour] = (30, 29, 28)
STEEL: Final[Colour] = (176, 172, 168)
LAMP_RED: Final[Colour] = (38, 30, 196)
LAMP_WHITE: Final[Colour] = (250, 246, 238)
LAMP_AMBER: Final[Colour] = (30, 140, 240)


def lit(colour: Colour, factor: float) -> Colour:
    """A colour in stronger (> 1) or weaker (< 1) light."""
    blue, green, red = (int(np.clip(round(part * factor), 0, 255)) for part in colour)
    return blue, green, red


class Sheet:
    """A face of a vehicle being drawn; nothing is visible until something is painted.

    Args:
        width_m: Width of the face.
        height_m: Height of the face.
        px_per_m: Pixels per metre; more is finer and slower.
    """

    def __init__(self, *, width_m: float, height_m: float, px_per_m: float) -> None:
        self._scale = px_per_m
        self._middle = width_m / 2
        self._height = height_m
        rows, columns = max(8, round(height_m * px_per_m)), max(8, round(width_m * px_per_m))
        self.image = np.zeros((rows, columns, 3), np.uint8)
        self.mask = np.zeros((rows, columns), np.uint8)

    def polygon(self, places: Sequence[Place], colour: Colour) -> None:
        """Fill a polygon with one colour."""
        points = self._pixels(places)
        cv2.fillPoly(self.image, [points], colour, cv2.LINE_AA, SHIFT)
        cv2.fillPoly(self.mask, [points], 255, cv2.LINE_AA, SHIFT)

    def shaded(self, places: Sequence[Place], top: Colour, low: Colour) -> None:
        """Fill a polygon with a colour that changes from its top to its lower edge."""
        cover = np.zeros_like(self.mask)
        cv2.fillPoly(cover, [self._pixels(places)], 255, cv2.LINE_AA, SHIFT)
        heights = [y for _, y in places]
        first = (self._height - max(heights)) * self._scale
        last = (self._height - min(heights)) * self._scale
        rows = np.arange(self.mask.shape[0])
        share = np.clip((rows - first) / max(last - first, 1.0), 0.0, 1.0)[:, None, None]
        colours = np.array(top, np.float64) * (1 - share) + np.array(low, np.float64) * share
        weight = (cover.astype(np.float64) / 255)[..., None]
        self.image[:] = (colours * weight + self.image * (1 - weight)).round().astype(np.uint8)
        self.mask = np.maximum(self.mask, cover)

    def rectangle(
        self, low_left: Place, up_right: Place, top: Colour, low: Colour | None = None
    ) -> None:
        """Fill an upright rectangle, from one colour to another when two are given."""
        (left, bottom), (right, upper) = low_left, up_right
        places = [(left, upper), (right, upper), (right, bottom), (left, bottom)]
        self.shaded(places, top, top if low is None else low)

    def ellipse(self, centre: Place, *, width_m: float, height_m: float, colour: Colour) -> None:
        """Fill an ellipse."""
        angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        x, y = centre
        places = [
            (x + width_m / 2 * float(np.cos(a)), y + height_m / 2 * float(np.sin(a)))
            for a in angles
        ]
        self.polygon(places, colour)

    def line(self, start: Place, end: Place, colour: Colour, *, width_m: float) -> None:
        """Draw a straight line with square ends."""
        (x0, y0), (x1, y1) = start, end
        length = max(float(np.hypot(x1 - x0, y1 - y0)), 1e-6)
        nx, ny = -(y1 - y0) / length * width_m / 2, (x1 - x0) / length * width_m / 2
        self.polygon(
            [(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)], colour
        )

    def mirrored(self, places: Sequence[Place], top: Colour, low: Colour) -> None:
        """Fill a polygon and its mirror image about the middle of the sheet."""
        self.shaded(places, top, low)
        self.shaded([(-x, y) for x, y in places], top, low)

    def text(self, words: str, low_left: Place, *, height_m: float, colour: Colour) -> None:
        """Write capital letters."""
        size = height_m * self._scale / 22
        x, y = self._pixels([low_left])[0] / (1 << SHIFT)
        place = (round(float(x)), round(float(y)))
        thick = max(1, round(size * 2))
        cv2.putText(
            self.image, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, thick, cv2.LINE_AA
        )

    def sky_streak(self, places: Sequence[Place], strength: float) -> None:
        """Lighten a polygon, as the sky does on glass and bonnet; ``strength`` 0 to 1."""
        cover = np.zeros_like(self.mask)
        cv2.fillPoly(cover, [self._pixels(places)], 255, cv2.LINE_AA, SHIFT)
        weight = (np.minimum(cover, self.mask).astype(np.float64) / 255 * strength)[..., None]
        self.image[:] = (self.image * (1 - weight) + 250 * weight).round().astype(np.uint8)

    def face(self, corners_m: PointsM) -> Face:
        """The finished face at its place on the vehicle."""
        return make_face(self.image, self.mask, corners_m)

    def _pixels(self, places: Sequence[Place]) -> NDArray[np.int32]:
        points = np.array(
            [
                ((x + self._middle) * self._scale, (self._height - y) * self._scale)
                for x, y in places
            ]
        )
        return np.asarray((points * (1 << SHIFT)).round(), np.int32)


def upright(
    *, width_m: float, low_m: float, high_m: float, z_m: float = 0.0, x_m: float = 0.0
) -> PointsM:
    """Corners of a face across the road."""
    half = width_m / 2
    return np.array(
        [
            [x_m - half, high_m, z_m],
            [x_m + half, high_m, z_m],
            [x_m + half, low_m, z_m],
            [x_m - half, low_m, z_m],
        ]
    )


def slanted(*, low_width_m: float, high_width_m: float, low: Place, high: Place) -> PointsM:
    """Corners of a face that rises away from the camera; ``low`` and ``high`` are ``z, y``."""
    return np.array(
        [
            [-high_width_m / 2, high[1], high[0]],
            [high_width_m / 2, high[1], high[0]],
            [low_width_m / 2, low[1], low[0]],
            [-low_width_m / 2, low[1], low[0]],
        ]
    )
