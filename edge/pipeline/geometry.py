# SPDX-License-Identifier: AGPL-3.0-or-later
"""Arithmetic on boxes and pictures, and the direction of a movement."""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from central.contracts.passage import Direction
from models.runtime.values import BgrImage, BoxPx

BORDER_MARGIN_PX: Final = 3.0
"""Distance from the picture's border within which a box counts as cut by it."""
MOVED_SHARE_OF_DIAGONAL: Final = 0.03
"""Way below which a vehicle has no direction. Higher calls slow vehicles standing."""
ENDS_SHARE: Final = 0.25
"""Share of a path at each end whose middle stands for that end, against jumping boxes."""


def area(box: BoxPx) -> float:
    """Area in square pixels."""
    return box.width * box.height


def distance_px(first: BoxPx, second: BoxPx) -> float:
    """Distance of the middles."""
    (x_1, y_1), (x_2, y_2) = first.centre, second.centre
    return math.hypot(x_2 - x_1, y_2 - y_1)


def contains_centre(outer: BoxPx, inner: BoxPx) -> bool:
    """Whether the middle of ``inner`` lies in ``outer``."""
    x, y = inner.centre
    return outer.x_min <= x <= outer.x_max and outer.y_min <= y <= outer.y_max


def shifted(box: BoxPx, *, x_px: float, y_px: float) -> BoxPx:
    """The box moved by an offset."""
    return BoxPx(
        x_min=box.x_min + x_px,
        y_min=box.y_min + y_px,
        x_max=box.x_max + x_px,
        y_max=box.y_max + y_px,
    )


def crop(image: BgrImage, box: BoxPx, *, padding: float) -> tuple[BgrImage, BoxPx]:
    """Cut a box out of a picture.

    Args:
        image: Shape ``(height, width, 3)``.
        box: In pixels of ``image``.
        padding: Share of the box's own size added on every side before clipping.

    Returns:
        A view, at least one pixel in each direction, and its whole-pixel box.
    """
    height, width = image.shape[:2]
    padded = box.padded(padding).clipped(width=width, height=height)
    x_min, y_min = min(int(padded.x_min), width - 1), min(int(padded.y_min), height - 1)
    x_max = max(x_min + 1, math.ceil(padded.x_max))
    y_max = max(y_min + 1, math.ceil(padded.y_max))
    place = BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
    return image[y_min:y_max, x_min:x_max], place


def shrunk(image: BgrImage, *, longest_side_px: int) -> BgrImage:
    """A copy no larger than asked for; shape kept, never enlarged."""
    height, width = image.shape[:2]
    scale = longest_side_px / max(height, width)
    if scale >= 1:
        return image.copy()
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def touches_border(box: BoxPx, *, width_px: int, height_px: int, margin_px: float) -> bool:
    """Whether a box reaches the edge of its picture: part of the object may be outside."""
    return (
        box.x_min <= margin_px
        or box.y_min <= margin_px
        or box.x_max >= width_px - margin_px
        or box.y_max >= height_px - margin_px
    )


def travel_px(path: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Way from the beginning of a path to its end, as ``x, y``; robust against single jumps."""
    if len(path) < 2:  # noqa: PLR2004 - a single point has gone no way
        return 0.0, 0.0
    count = max(1, round(len(path) * ENDS_SHARE))
    points = np.asarray(path, dtype=np.float64)
    begin, end = np.median(points[:count], axis=0), np.median(points[-count:], axis=0)
    return float(end[0] - begin[0]), float(end[1] - begin[1])


def direction_of(path: Sequence[tuple[float, float]], *, diagonal_px: float) -> Direction:
    """Main direction of a path in the picture.

    Args:
        path: Middles of the boxes in order, in pixels.
        diagonal_px: Diagonal of the frame.
    """
    x_px, y_px = travel_px(path)
    if math.hypot(x_px, y_px) < MOVED_SHARE_OF_DIAGONAL * diagonal_px:
        return Direction.UNKNOWN
    if abs(y_px) >= abs(x_px):
        return Direction.DOWN if y_px > 0 else Direction.UP
    return Direction.RIGHT if x_px > 0 else Direction.LEFT
