# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a camera stands: the corners of a plate in the picture, and the detector's box."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.photo.conditions import Severity
from models.runtime.values import BgrImage

Corners = NDArray[np.float64]
"""Four points, shape ``(4, 2)``, clockwise from the plate's own top left corner."""

MAX_TURN_DEG: Final = 40.0
MAX_ROLL_DEG: Final = 35.0
MAX_CROP_WIDTH_PX: Final = 420
MIN_CROP_PX: Final = 10
_MAX_SHEAR: Final = 0.3
_CARELESS_SHARE: Final = 0.6
"""Share of pictures whose roll is anything up to the limit; the others are held nearly level."""

_LONG_ASPECT: Final = 2.6
_LONG_HEIGHTS_PX: Final = (15.0, 78.0)
_SHORT_HEIGHTS_PX: Final = (28.0, 230.0)
_CLEAR_WIDTH_PX: Final = 290.0
_LONG_GLYPH_SHARE: Final = 0.57
_SHORT_GLYPH_SHARE: Final = 0.38
_LOOSE_SHARE: Final = 0.28
_TIGHT_SHARE: Final = 0.055
_BENT_SHARE: Final = 0.2
_NEXT: Final = [1, 2, 3, 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A crop and the plate's place in it.

    Attributes:
        corners_px: The plate's corners in pixels of the crop.
        height_px: Height of the crop.
        width_px: Width of the crop.
        glyph_px: About the height of a glyph in the crop.
        bend: Bulge of a bent sheet as a share of its height; 0 is flat.
    """

    corners_px: Corners
    height_px: int
    width_px: int
    glyph_px: float
    bend: float


def glyph_height_px(*, height_px: float, width_px: float) -> float:
    """About the height of the glyphs of a plate that fills a picture of this size."""
    share = _LONG_GLYPH_SHARE if width_px > _LONG_ASPECT * height_px else _SHORT_GLYPH_SHARE
    return share * height_px


def random_view(aspect: float, *, rng: Generator, severity: Severity) -> View:
    """Draw where the camera stands and how the detector cuts.

    Args:
        aspect: Width of the plate over its height.
        rng: Source of randomness.
        severity: ``viewpoint``, ``jitter`` and, for the size, ``compression``.
    """
    corners = projected_corners(aspect, rng=rng, severity=severity)
    upper, right, lower, left = np.hypot(*(corners[_NEXT] - corners).T).tolist()
    area = float(cv2.contourArea(corners.astype(np.float32)))
    # Glyphs of a slanted plate are as high as the way across their row.
    seen_height = min(2 * area / (upper + lower), 1.35 * 2 * area / (left + right) / aspect)
    if severity.compression > 0:
        scale = _plate_height_px(aspect, rng, severity) / seen_height
    else:
        scale = _CLEAR_WIDTH_PX / float(np.ptp(corners[:, 0]))
    low, high = _jittered_box(corners.min(axis=0), corners.max(axis=0), rng, severity)
    scale = min(scale, MAX_CROP_WIDTH_PX / max(1e-6, float(high[0] - low[0])))
    width_px, height_px = np.maximum(MIN_CROP_PX, np.rint((high - low) * scale)).tolist()
    is_bent = rng.random() < _BENT_SHARE * (0.3 + severity.viewpoint) and severity.viewpoint > 0
    height = seen_height * scale
    return View(
        corners_px=(corners - low) * scale,
        height_px=int(height_px),
        width_px=int(width_px),
        glyph_px=glyph_height_px(height_px=height, width_px=aspect * height),
        bend=float(rng.uniform(-0.08, 0.08)) if is_bent else 0.0,
    )


def _plate_height_px(aspect: float, rng: Generator, severity: Severity) -> float:
    """Height of the plate: logarithmic, smaller where compression is hard."""
    low, high = _LONG_HEIGHTS_PX if aspect > _LONG_ASPECT else _SHORT_HEIGHTS_PX
    most = math.log(high / low) - 0.9 * severity.compression
    return low * math.exp(most * float(rng.random()))


def _turned(corners: Corners, *, pitch: float, yaw: float, roll: float) -> NDArray[np.float64]:
    """Points of a plane turned about three axes, angles in radians; shape ``(4, 3)``."""
    cp, sp, cy, sy = math.cos(pitch), math.sin(pitch), math.cos(yaw), math.sin(yaw)
    cr, sr = math.cos(roll), math.sin(roll)
    # Columns of (about z) x (about y) x (about x) for a plane with z = 0.
    along_x = (cr * cy, sr * cy, -sy)
    along_y = (cr * sy * sp - sr * cp, sr * sy * sp + cr * cp, cy * sp)
    return np.asarray(corners @ np.array((along_x, along_y)), dtype=np.float64)


def projected_corners(aspect: float, *, rng: Generator, severity: Severity) -> Corners:
    """Corners of a plate of height 1 in the picture, around the origin."""
    strength = severity.viewpoint
    pitch, yaw, lean, careless, near = rng.random(5).tolist()
    level, slant = rng.standard_normal(2).tolist()
    turn = math.radians(MAX_TURN_DEG) * strength
    lean = 2 * lean - 1 if careless < _CARELESS_SHARE else max(-1.0, min(1.0, 0.25 * level))
    roll = lean * math.radians(MAX_ROLL_DEG) * strength
    half = aspect / 2
    corners = np.array([[-half, -0.5], [half, -0.5], [half, 0.5], [-half, 0.5]])
    turned = _turned(corners, pitch=(2 * pitch - 1) * turn, yaw=(2 * yaw - 1) * turn, roll=roll)
    distance = aspect * (2.0 + 6.0 * near)
    projected = turned[:, :2] * (distance / (distance + turned[:, 2:]))
    shear = max(-_MAX_SHEAR, min(_MAX_SHEAR, 0.12 * slant)) * strength
    projected[:, 0] += projected[:, 1] * shear
    return np.asarray(projected, dtype=np.float64)


def _jittered_box(
    low: NDArray[np.float64], high: NDArray[np.float64], rng: Generator, severity: Severity
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Box around the corners as an imperfect detector draws it: mostly a little loose.

    Long plates are cut as tightly above as at their sides: the margin follows the height.
    """
    size = high - low
    margins = (rng.beta(1.2, 2.6, 4) * (_LOOSE_SHARE + _TIGHT_SHARE) - _TIGHT_SHARE).reshape(2, 2)
    reach = np.array([min(size[0], 1.6 * size[1]), size[1]])
    margins *= severity.jitter
    return low - reach * margins[0], high + reach * margins[1]


def warp_onto(ground: BgrImage, sheet: BgrImage, view: View, *, pad_px: int = 0) -> None:
    """Lay a sheet over the ground in place, where the view has it.

    Args:
        ground: The crop's surroundings; changed.
        sheet: The plate, with a rim of ``pad_px`` around it that belongs to a frame.
        view: Where the plate lies.
        pad_px: Width of the rim in pixels of the sheet.
    """
    height, width = sheet.shape[0] - 2 * pad_px, sheet.shape[1] - 2 * pad_px
    # Corners are corners of pixels' squares while warping takes centres: half a pixel apart.
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + pad_px - 0.5
    target = view.corners_px.astype(np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, target)
    size = (view.width_px, view.height_px)
    if view.bend == 0:
        cv2.warpPerspective(
            sheet, matrix, size, dst=ground, flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )  # fmt: skip
        return
    rows, columns = np.mgrid[0 : view.height_px, 0 : view.width_px].astype(np.float32)
    back = np.linalg.inv(matrix).astype(np.float32)
    depth = back[2, 0] * columns + back[2, 1] * rows + back[2, 2]
    x = (back[0, 0] * columns + back[0, 1] * rows + back[0, 2]) / depth
    y = (back[1, 0] * columns + back[1, 1] * rows + back[1, 2]) / depth
    inside = np.clip((x - pad_px) / width, 0, 1)
    y += (view.bend * height) * np.sin(np.pi * inside)
    cv2.remap(sheet, x, y, cv2.INTER_LINEAR, dst=ground, borderMode=cv2.BORDER_TRANSPARENT)
