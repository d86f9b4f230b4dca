# SPDX-License-Identifier: AGPL-3.0-or-later
"""Centre lines of glyphs, how workshops bend them, and how they become ink."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

GrayMask = NDArray[np.uint8]
Point = tuple[float, float]
Stroke = list[Point]

_ARC_STEPS: Final = 16
_STROKE_PX: Final = 13
"""Every glyph is first drawn with strokes of this many pixels; odd, as OpenCV centres lines."""

_SHIFT_BITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphStyle:
    """Details in which workshops differ; the defaults are those of today's plates.

    Attributes:
        squareness: 2 bends bowls as ellipses, above that they get squarer.
        has_short_flag: The flag of the 1 is short and steep.
        is_four_closed: The 4 is a closed triangle on a long post, not an open one.
        is_seven_bent: The leg of the 7 comes down in a curve.
        has_straight_tails: 6 and 9 end in a straight slope instead of a hook.
        has_plain_g: The bar of the G is a hook without a serif to the left.
        middle_of_m: Depth of the middle of the M as a share of the height.
        has_pointed_a: The A ends in a point instead of a short roof.
        has_round_ends: Strokes end round instead of flat.
    """

    squareness: float = 2.35
    has_short_flag: bool = False
    is_four_closed: bool = False
    is_seven_bent: bool = False
    has_straight_tails: bool = False
    has_plain_g: bool = False
    middle_of_m: float = 0.55
    has_pointed_a: bool = False
    has_round_ends: bool = False


TODAY: Final = GlyphStyle()


@lru_cache(maxsize=256)
def _unit_arc(start_deg: float, end_deg: float, squareness: float) -> tuple[Point, ...]:
    angles = np.radians(np.linspace(start_deg, end_deg, _ARC_STEPS))
    cosines, sines = np.cos(angles), np.sin(angles)
    x = np.sign(cosines) * np.abs(cosines) ** (2.0 / squareness)
    y = np.sign(sines) * np.abs(sines) ** (2.0 / squareness)
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What a glyph's shape is drawn with: the room of its centre lines, and the style."""

    width: float
    height: float
    style: GlyphStyle

    def arc(self, centre: Point, radii: Point, start_deg: float, end_deg: float) -> Stroke:
        """Points of a squarish arc; 0 degrees is right, 90 is down, growing clockwise."""
        unit = _unit_arc(start_deg, end_deg, self.style.squareness)
        return [(centre[0] + radii[0] * x, centre[1] + radii[1] * y) for x, y in unit]

    def ring(self, centre: Point, radii: Point) -> Stroke:
        """A closed bowl."""
        points = self.arc(centre, radii, 0, 180)[:-1] + self.arc(centre, radii, 180, 360)
        return [*points[:-1], points[0]]


def _trimmed(stroke: Stroke, length: float) -> Stroke:
    """A line without the last piece of a length; at least its first point stays."""
    for count in range(len(stroke) - 1, 0, -1):
        (x0, y0), (x1, y1) = stroke[count - 1], stroke[count]
        size = math.hypot(x1 - x0, y1 - y0)
        if size > length:
            share = length / size
            return [*stroke[:count], (x1 - (x1 - x0) * share, y1 - (y1 - y0) * share)]
        length -= size
    return stroke[:1]


def _flat_end(stroke: Stroke, half_width: float) -> Stroke:
    """The rectangle that squares off the end of a line."""
    (x0, y0), (x1, y1) = stroke[-2:]
    scale = half_width / max(math.hypot(x1 - x0, y1 - y0), 1e-9)
    dx, dy = (x1 - x0) * scale, (y1 - y0) * scale
    return [
        (x1 - dy, y1 + dx), (x1 + dy, y1 - dx), (x1 + dy - dx, y1 - dx - dy),
        (x1 - dy - dx, y1 + dx - dy),
    ]  # fmt: skip


def ink(
    strokes: Sequence[Stroke], *, stroke_mm: float, size_mm: Point, style: GlyphStyle
) -> GrayMask:
    """Fill strokes that are round where they bend.

    Args:
        strokes: Centre lines in millimetres, the origin half a stroke inside the cell.
        stroke_mm: Width of a stroke.
        size_mm: Width and height of the cell; ink outside of it is cut off.
        style: Says how strokes end.

    Returns:
        Coverage 0 or 255 with strokes of 13 pixels, shape by ``size_mm``.
    """
    scale = _STROKE_PX / stroke_mm
    half = stroke_mm / 2
    canvas: GrayMask = np.zeros((round(size_mm[1] * scale), round(size_mm[0] * scale)), np.uint8)
    lines: list[Stroke] = []
    ends: list[Stroke] = []
    for stroke in strokes:
        if stroke[0] == stroke[-1]:
            lines.append(stroke)
            continue
        back = stroke[::-1]
        if not style.has_round_ends:
            ends += [_flat_end(stroke, half), _flat_end(back, half)]
        lines.append(_trimmed(_trimmed(stroke, half)[::-1], half))
    fixed = [_fixed(points, scale=scale, offset=half) for points in lines]
    cv2.polylines(canvas, fixed, isClosed=False, color=255, thickness=_STROKE_PX, shift=_SHIFT_BITS)
    for end in ends:
        quad = _fixed(end, scale=scale, offset=half)
        cv2.fillConvexPoly(canvas, quad, 255, cv2.LINE_8, _SHIFT_BITS)
    return canvas


def _fixed(points: Stroke, *, scale: float, offset: float) -> NDArray[np.int32]:
    """Points as OpenCV wants them: from the middle of the first pixel, in fixed point."""
    moved = (np.array(points) + offset) * (scale * (1 << _SHIFT_BITS)) - (1 << _SHIFT_BITS) / 2
    return np.rint(moved).astype(np.int32)
