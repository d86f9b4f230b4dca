# SPDX-License-Identifier: AGPL-3.0-or-later
"""The space of the rendered road: a level pinhole camera and flat textured faces in front of it.

Coordinates are metres: ``x`` to the right of the camera, ``y`` up from the road, ``z`` forward.
Vehicles are a dozen textured quadrilaterals each, which OpenCV warps much faster than real time.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.values import BgrImage, BoxPx

NEAR_M: Final = 0.6
"""Faces are cut here; with the lenses used nothing nearer than this is in the picture."""

MAX_LEVELS: Final = 6
MIN_FACE_PX: Final = 0.7

PointsM = NDArray[np.float64]
"""Points in metres, shape ``(n, 3)``."""

Mask = NDArray[np.uint8]
"""Coverage, shape ``(height, width)``, 0 to 255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """A camera that looks level along the road.

    Attributes:
        width_px: Width of the picture.
        height_px: Height of the picture.
        focal_px: Focal length; more shows less of the road, larger.
        horizon_px: Row of the horizon.
        height_m: Height above the road.
    """

    width_px: int
    height_px: int
    focal_px: float
    horizon_px: float
    height_m: float

    def project(self, points_m: PointsM) -> NDArray[np.float64]:
        """Pixels, shape ``(n, 2)``, of points that all lie in front of the camera."""
        scale = self.focal_px / points_m[:, 2]
        return np.stack(
            [
                self.width_px / 2 + points_m[:, 0] * scale,
                self.horizon_px + (self.height_m - points_m[:, 1]) * scale,
            ],
            axis=1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A flat textured quadrilateral.

    Attributes:
        corners_m: Shape ``(4, 3)``: where the texture's top left, top right, bottom right and
            bottom left corners are.
        levels: The texture and its coverage, each level half as large as the one before.
    """

    corners_m: PointsM
    levels: tuple[tuple[BgrImage, Mask], ...]


@dataclass(slots=True, kw_only=True)
class Layer:
    """Part of a picture that faces are painted into.

    Attributes:
        image: Shape ``(h, w, 3)``; painted over.
        mask: What the faces cover.
        left_px: Column of the picture at which the layer begins.
        top_px: Row of the picture at which the layer begins.
    """

    image: BgrImage
    mask: Mask
    left_px: int
    top_px: int


def make_face(image: BgrImage, mask: Mask, corners_m: PointsM) -> Face:
    """Prepare a texture at every size at which it may be seen.

    Args:
        image: Texture, shape ``(h, w, 3)``.
        mask: Coverage, shape ``(h, w)``.
        corners_m: See ``Face``.
    """
    soft = mask.copy()
    soft[[0, -1], :] = 0
    soft[:, [0, -1]] = 0
    levels = [(image, soft)]
    while len(levels) < MAX_LEVELS and min(levels[-1][1].shape) >= 8:  # noqa: PLR2004 - pixels
        height, width = levels[-1][1].shape
        size = (width // 2, height // 2)
        levels.append(
            (
                np.asarray(cv2.resize(levels[-1][0], size, interpolation=cv2.INTER_AREA), np.uint8),
                np.asarray(cv2.resize(levels[-1][1], size, interpolation=cv2.INTER_AREA), np.uint8),
            )
        )
    return Face(corners_m=corners_m, levels=tuple(levels))


def moved(corners_m: PointsM, *, x_m: float, z_m: float) -> PointsM:
    """Corners of a face of a vehicle that stands at ``x_m, z_m``."""
    return np.asarray(corners_m + np.array([x_m, 0.0, z_m]), np.float64)


def box_of(quad_px: NDArray[np.float64]) -> BoxPx:
    """Upright rectangle around projected points."""
    low, high = quad_px.min(axis=0), quad_px.max(axis=0)
    return BoxPx(
        x_min=float(low[0]), y_min=float(low[1]), x_max=float(high[0]), y_max=float(high[1])
    )


def paint_face(layer: Layer, face: Face, lens: Lens, *, x_m: float, z_m: float) -> None:
    """Paint a face of a vehicle that stands at ``x_m, z_m`` into a layer."""
    cut = _cut_near(moved(face.corners_m, x_m=x_m, z_m=z_m))
    if cut is None:
        return
    corners, left = cut
    quad = lens.project(corners) - np.array([layer.left_px, layer.top_px])
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 1, 0)
    bounds = np.array([layer.mask.shape[1], layer.mask.shape[0]])
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 2, bounds)
    if (high - low).min() < 1 or np.ptp(quad, axis=0).min() < MIN_FACE_PX:
        return
    image, mask = _level_for(face, quad)
    first_column = int(left * (mask.shape[1] - 1))
    image, mask = image[:, first_column:], mask[:, first_column:]
    _warp_into(layer, (image, mask), quad, low=low, high=high)


def _warp_into(
    layer: Layer,
    texture: tuple[BgrImage, Mask],
    quad: NDArray[np.float64],
    *,
    low: NDArray[np.int_],
    high: NDArray[np.int_],
) -> None:
    """Blend a warped texture into the rectangle ``low`` to ``high`` of a layer."""
    image, mask = texture
    rows, columns = mask.shape
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(source, (quad - low).astype(np.float32))
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    colour = cv2.warpPerspective(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    cover = cv2.warpPerspective(mask, matrix, size, flags=cv2.INTER_LINEAR)
    rectangle = np.s_[low[1] : high[1], low[0] : high[0]]
    weight = cover.astype(np.float32) * np.float32(1 / 255)
    layer.image[rectangle] = cv2.blendLinear(colour, layer.image[rectangle], weight, 1 - weight)
    layer.mask[rectangle] = np.maximum(layer.mask[rectangle], cover)


def _level_for(face: Face, quad: NDArray[np.float64]) -> tuple[BgrImage, Mask]:
    """The smallest texture that still has about as many pixels as the picture shows."""
    sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    rows, columns = face.levels[0][1].shape
    shrink = min(columns / max(sides[0], sides[2], 1.0), rows / max(sides[1], sides[3], 1.0))
    level = int(np.clip(np.log2(max(shrink, 1.0)), 0, len(face.levels) - 1))
    return face.levels[level]


def _cut_near(corners_m: PointsM) -> tuple[PointsM, float] | None:
    """Cut the part of a face off that is nearer than ``NEAR_M``.

    Returns:
        The corners that are left and the fraction of the texture that was cut from its left edge;
        ``None`` when nothing is left, or for a roof or bonnet, which is out of the picture by then.
    """
    depth = corners_m[:, 2]
    if depth.min() >= NEAR_M:
        return corners_m, 0.0
    top_left, top_right, bottom_right, bottom_left = corners_m
    if (
        min(top_right[2], bottom_right[2]) > NEAR_M
        and max(top_left[2], bottom_left[2]) < NEAR_M * 2
    ):
        cut = max(_crossing(top_left, top_right), _crossing(bottom_left, bottom_right))
        kept = [
            top_left + cut * (top_right - top_left),
            top_right,
            bottom_right,
            bottom_left + cut * (bottom_right - bottom_left),
        ]
        return np.array(kept), cut
    return None


def _crossing(near: NDArray[np.float64], far: NDArray[np.float64]) -> float:
    """Fraction of the way from ``near`` to ``far`` at which ``NEAR_M`` is passed."""
    return float(np.clip((NEAR_M - near[2]) / (far[2] - near[2]), 0.0, 0.999))


def upright_at(*, x_m: float, y_m: float, z_m: float, width_m: float, height_m: float) -> PointsM:
    """Corners of a rectangle across the road around its middle."""
    left, right = x_m - width_m / 2, x_m + width_m / 2
    low, high = y_m - height_m / 2, y_m + height_m / 2
    return np.array([[left, high, z_m], [right, high, z_m], [right, low, z_m], [left, low, z_m]])
