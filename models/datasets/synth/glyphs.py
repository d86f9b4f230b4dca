# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plate glyphs as strokes, because the legal typeface is not published as a font file.

Each glyph is a list of centre lines inside the legal cell (Circular TT 79/2024, Annex 04: car
38x63 mm with a stroke of 10 mm, motorbike 22x55 mm with a stroke of 7 mm) and is drawn at the
legal stroke width with flat ends and round joints.  Shapes follow photographs of issued plates.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

GrayMask = NDArray[np.uint8]
Point = tuple[float, float]
Stroke = list[Point]

_ARC_STEPS: Final = 20
_ARC_EXPONENT: Final = 2.35  # 2 is an ellipse; above that the bowls get squarer, as on real plates
_SUPERSAMPLING: Final = 4
_SHIFT_BITS: Final = 4
_MASKS_KEPT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphCell:
    """Size of one glyph; all lengths in millimetres and positive."""

    width_mm: float
    height_mm: float
    stroke_mm: float

    def __post_init__(self) -> None:
        """Refuse a cell in which two strokes cannot stand side by side."""
        if not 0 < 2 * self.stroke_mm < min(self.width_mm, self.height_mm):
            raise ValueError("a stroke must be thinner than half the cell")


CAR_CELL: Final = GlyphCell(width_mm=38, height_mm=63, stroke_mm=10)
MOTORBIKE_CELL: Final = GlyphCell(width_mm=22, height_mm=55, stroke_mm=7)


def _arc(centre: Point, radii: Point, start_deg: float, end_deg: float) -> Stroke:
    """Points of a squarish arc; 0 degrees is right, 90 is down, growing clockwise."""
    angles = np.radians(np.linspace(start_deg, end_deg, _ARC_STEPS))
    power = 2.0 / _ARC_EXPONENT
    x = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power
    y = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** power
    return [
        (centre[0] + radii[0] * float(a), centre[1] + radii[1] * float(b))
        for a, b in zip(x, y, strict=True)
    ]


def _ring(centre: Point, radii: Point) -> Stroke:
    points = _arc(centre, radii, 0, 360)
    return [*points[:-1], points[0]]


def _zero(w: float, h: float) -> list[Stroke]:
    r = w / 2
    ring = _arc((r, r), (r, r), 180, 360) + _arc((r, h - r), (r, r), 0, 180)
    return [[*ring, ring[0]]]


def _one(w: float, h: float) -> list[Stroke]:
    return [[(0.12 * w, 0.23 * h), (0.6 * w, 0.0), (0.6 * w, 1.08 * h)]]


def _bare_one(w: float, h: float) -> list[Stroke]:
    return [[(0.5 * w, -0.08 * h), (0.5 * w, 1.08 * h)]]


def _two(w: float, h: float) -> list[Stroke]:
    r = w / 2
    return [[*_arc((r, 0.27 * h), (r, 0.27 * h), 185, 395), (0.02 * w, h), (1.03 * w, h)]]


def _three(w: float, h: float) -> list[Stroke]:
    r = w / 2
    return [
        _arc((r, 0.24 * h), (0.95 * r, 0.24 * h), 190, 450),
        _arc((r, 0.74 * h), (r, 0.26 * h), 270, 530),
        [(0.36 * w, 0.48 * h), (0.55 * w, 0.48 * h)],
    ]


def _four(w: float, h: float) -> list[Stroke]:
    return [
        [(0.52 * w, -0.05 * h), (0.0, 0.75 * h), (1.08 * w, 0.75 * h)],
        [(0.72 * w, 0.47 * h), (0.72 * w, 1.08 * h)],
    ]


def _five(w: float, h: float) -> list[Stroke]:
    r = w / 2
    bowl = _arc((r, 0.69 * h), (r, 0.31 * h), 222, 528)
    return [[(0.94 * w, 0.0), (0.09 * w, 0.0), (0.04 * w, 0.5 * h), *bowl[1:]]]


def _six(w: float, h: float) -> list[Stroke]:
    r, bowl = w / 2, 0.3 * h
    hook = _arc((r, r), (r, r), 335, 180)
    return [
        [*hook, (0.0, h - bowl)],
        _ring((r, h - bowl), (r, bowl)),
    ]


def _turned(strokes: list[Stroke], w: float, h: float) -> list[Stroke]:
    return [[(w - x, h - y) for x, y in stroke] for stroke in strokes]


def _nine(w: float, h: float) -> list[Stroke]:
    return _turned(_six(w, h), w, h)


def _seven(w: float, h: float) -> list[Stroke]:
    return [[(0.0, 0.0), (w, 0.0), (0.36 * w, 1.08 * h)]]


def _eight(w: float, h: float) -> list[Stroke]:
    r = w / 2
    return [
        _ring((r, 0.24 * h), (0.93 * r, 0.24 * h)),
        _ring((r, 0.74 * h), (r, 0.26 * h)),
    ]


def _a(w: float, h: float) -> list[Stroke]:
    return [
        [(-0.03 * w, 1.06 * h), (0.44 * w, 0.0), (0.56 * w, 0.0), (1.03 * w, 1.06 * h)],
        [(0.14 * w, 0.72 * h), (0.86 * w, 0.72 * h)],
    ]


def _b(w: float, h: float) -> list[Stroke]:
    rx = 0.45 * w
    upper = _arc((w - rx - 0.04 * w, 0.24 * h), (rx, 0.24 * h), 270, 450)
    lower = _arc((w - rx, 0.74 * h), (rx, 0.26 * h), 270, 450)
    return [
        [(0.0, 0.0), *upper, (0.0, 0.48 * h)],
        [(0.3 * w, 0.48 * h), *lower, (0.0, h), (0.0, 0.0), (0.2 * w, 0.0)],
    ]


def _c(w: float, h: float) -> list[Stroke]:
    r = w / 2
    top, bottom = _arc((r, r), (r, r), 360, 180), _arc((r, h - r), (r, r), 180, 0)
    return [[(w, 0.32 * h), *top, *bottom, (w, 0.68 * h)]]


def _d(w: float, h: float) -> list[Stroke]:
    r = 0.58 * w
    right = _arc((w - r, r), (r, r), 270, 360) + _arc((w - r, h - r), (r, r), 0, 90)
    return [[(0.0, 0.0), *right, (0.0, h), (0.0, 0.0), (0.2 * w, 0.0)]]


def _barred_d(w: float, h: float) -> list[Stroke]:
    return [*_d(w, h), [(-0.28 * w, 0.5 * h), (0.45 * w, 0.5 * h)]]


def _e(w: float, h: float) -> list[Stroke]:
    return [[(w, 0.0), (0.0, 0.0), (0.0, h), (w, h)], [(0.0, 0.48 * h), (0.85 * w, 0.48 * h)]]


def _f(w: float, h: float) -> list[Stroke]:
    return [[(w, 0.0), (0.0, 0.0), (0.0, 1.08 * h)], [(0.0, 0.5 * h), (0.85 * w, 0.5 * h)]]


def _g(w: float, h: float) -> list[Stroke]:
    r = w / 2
    top, bottom = _arc((r, r), (r, r), 355, 180), _arc((r, h - r), (r, r), 180, 0)
    return [[*top, *bottom, (w, 0.55 * h), (0.5 * w, 0.55 * h)]]


def _h(w: float, h: float) -> list[Stroke]:
    return [
        [(0.0, -0.08 * h), (0.0, 1.08 * h)],
        [(w, -0.08 * h), (w, 1.08 * h)],
        [(0.0, 0.5 * h), (w, 0.5 * h)],
    ]


def _i(w: float, h: float) -> list[Stroke]:
    return _bare_one(w, h)


def _j(w: float, h: float) -> list[Stroke]:
    r = w / 2
    return [[(w, 0.0), *_arc((r, h - r), (r, r), 0, 180)]]


def _k(w: float, h: float) -> list[Stroke]:
    return [
        [(0.0, -0.08 * h), (0.0, 1.08 * h)],
        [(1.02 * w, -0.07 * h), (0.05 * w, 0.62 * h)],
        [(0.4 * w, 0.4 * h), (1.06 * w, 1.07 * h)],
    ]


def _l(w: float, h: float) -> list[Stroke]:
    return [[(0.0, -0.08 * h), (0.0, h), (1.05 * w, h)]]


def _m(w: float, h: float) -> list[Stroke]:
    return [[(0.0, 1.08 * h), (0.0, 0.0), (w / 2, 0.55 * h), (w, 0.0), (w, 1.08 * h)]]


def _n(w: float, h: float) -> list[Stroke]:
    return [[(0.0, 1.08 * h), (0.0, 0.0), (w, h), (w, -0.08 * h)]]


def _p(w: float, h: float) -> list[Stroke]:
    rx = 0.46 * w
    bowl = _arc((w - rx, 0.265 * h), (rx, 0.265 * h), 270, 450)
    return [[(0.0, 0.53 * h), *bowl[::-1], (0.0, 0.0), (0.0, 1.08 * h)]]


def _q(w: float, h: float) -> list[Stroke]:
    return [*_zero(w, h), [(0.5 * w, 0.72 * h), (1.0 * w, 1.06 * h)]]


def _r(w: float, h: float) -> list[Stroke]:
    return [*_p(w, h), [(0.45 * w, 0.53 * h), (1.03 * w, 1.07 * h)]]


def _s(w: float, h: float) -> list[Stroke]:
    r = w / 2
    upper = _arc((r, 0.245 * h), (0.97 * r, 0.245 * h), 345, 90)
    lower = _arc((r, 0.745 * h), (r, 0.255 * h), 270, 525)
    return [upper + lower]


def _t(w: float, h: float) -> list[Stroke]:
    return [[(-0.05 * w, 0.0), (1.05 * w, 0.0)], [(w / 2, 0.0), (w / 2, 1.08 * h)]]


def _u(w: float, h: float) -> list[Stroke]:
    r = w / 2
    return [[(w, -0.08 * h), *_arc((r, h - r), (r, r), 0, 180), (0.0, -0.08 * h)]]


def _v(w: float, h: float) -> list[Stroke]:
    return [[(-0.03 * w, -0.06 * h), (0.45 * w, h), (0.55 * w, h), (1.03 * w, -0.06 * h)]]


def _w(w: float, h: float) -> list[Stroke]:
    return [[(0.0, -0.06 * h), (0.22 * w, h), (w / 2, 0.2 * h), (0.78 * w, h), (w, -0.06 * h)]]


def _x(w: float, h: float) -> list[Stroke]:
    return [
        [(-0.02 * w, -0.07 * h), (1.02 * w, 1.07 * h)],
        [(1.02 * w, -0.07 * h), (-0.02 * w, 1.07 * h)],
    ]


def _y(w: float, h: float) -> list[Stroke]:
    return [
        [(-0.03 * w, -0.07 * h), (w / 2, 0.54 * h), (1.03 * w, -0.07 * h)],
        [(w / 2, 0.54 * h), (w / 2, 1.08 * h)],
    ]


def _z(w: float, h: float) -> list[Stroke]:
    return [[(0.0, 0.0), (w, 0.0), (0.0, h), (1.02 * w, h)]]


BARE_ONE: Final = "|"
_GLYPHS: Final[Mapping[str, Callable[[float, float], list[Stroke]]]] = MappingProxyType(
    {
        "0": _zero, "1": _one, "2": _two, "3": _three, "4": _four, "5": _five, "6": _six,
        "7": _seven, "8": _eight, "9": _nine, "A": _a, "B": _b, "C": _c, "D": _d, "E": _e,
        "F": _f, "G": _g, "H": _h, "I": _i, "J": _j, "K": _k, "L": _l, "M": _m, "N": _n,
        "O": _zero, "P": _p, "Q": _q, "R": _r, "S": _s, "T": _t, "U": _u, "V": _v, "W": _w,
        "X": _x, "Y": _y, "Z": _z, "Đ": _barred_d, BARE_ONE: _bare_one,
    }
)  # fmt: skip
GLYPHS: Final = frozenset(_GLYPHS)


def _draw_segment(canvas: GrayMask, start: Point, end: Point, half_width: float) -> None:
    """Fill one straight stroke with flat ends; all lengths in canvas pixels."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = float(np.hypot(dx, dy))
    if length == 0.0:
        return
    nx, ny = -dy / length * half_width, dx / length * half_width
    corners = [
        (start[0] + nx, start[1] + ny),
        (end[0] + nx, end[1] + ny),
        (end[0] - nx, end[1] - ny),
        (start[0] - nx, start[1] - ny),
    ]
    fixed = np.round(np.array(corners) * (1 << _SHIFT_BITS)).astype(np.int32)
    cv2.fillConvexPoly(canvas, fixed, 255, cv2.LINE_8, _SHIFT_BITS)


def _draw_stroke(canvas: GrayMask, stroke: Stroke, half_width: float) -> None:
    """Draw a centre line: flat at its ends, round where it bends."""
    for start, end in itertools.pairwise(stroke):
        _draw_segment(canvas, start, end, half_width)
    one = 1 << _SHIFT_BITS
    joints = stroke[1:] if stroke[0] == stroke[-1] else stroke[1:-1]
    for x, y in joints:
        centre = (round(x * one), round(y * one))
        cv2.circle(canvas, centre, round(half_width * one), 255, -1, cv2.LINE_8, _SHIFT_BITS)


@lru_cache(maxsize=_MASKS_KEPT)
def glyph_mask(glyph: str, cell: GlyphCell, px_per_mm: float) -> GrayMask:
    """Draw one glyph as ink coverage.

    Args:
        glyph: One of ``GLYPHS``; ``BARE_ONE`` is the flagless digit 1 of military plates.
        cell: Size of the glyph in millimetres.
        px_per_mm: Resolution, above 0.

    Returns:
        Coverage 0 to 255 of the cell, read-only, shape
        ``(round(height_mm * px_per_mm), round(width_mm * px_per_mm))``.

    Raises:
        ValueError: If the glyph is not one of ``GLYPHS``.
    """
    if glyph not in _GLYPHS:
        raise ValueError(f"no such glyph: {len(glyph)} characters were given")
    height = max(1, round(cell.height_mm * px_per_mm))
    width = max(1, round(cell.width_mm * px_per_mm))
    scale = px_per_mm * _SUPERSAMPLING
    margin = cell.stroke_mm / 2
    strokes = _GLYPHS[glyph](cell.width_mm - cell.stroke_mm, cell.height_mm - cell.stroke_mm)
    canvas: GrayMask = np.zeros((height * _SUPERSAMPLING, width * _SUPERSAMPLING), np.uint8)
    for stroke in strokes:
        pixels = [((x + margin) * scale, (y + margin) * scale) for x, y in stroke]
        _draw_stroke(canvas, pixels, margin * scale)
    mask = np.asarray(
        cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
    mask.flags.writeable = False
    return mask
