# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a camera's picture to a network's input, and boxes back again.

Training, evaluation and production prepare pictures by these same functions.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidImageError
from models.runtime.values import BgrImage, BoxPx, FloatArray

LETTERBOX_GREY: Final = 114
MAX_SIDE_PX: Final = 16_384
_CHANNELS: Final = 3
_DIMENSIONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """How a picture was fitted into a network's input.

    Attributes:
        scale: Input pixels per picture pixel.
        left_px: Grey columns on the left of the input.
        top_px: Grey rows on top of the input.
    """

    scale: float
    left_px: int
    top_px: int

    def to_picture(self, box_px: NDArray[np.float32]) -> BoxPx:
        """Bring a box back from the network's input to the picture.

        Args:
            box_px: Shape ``(4,)``, ``x_min, y_min, x_max, y_max`` in the input.
        """
        x_min, y_min, x_max, y_max = (float(value) for value in box_px)
        return BoxPx(
            x_min=(x_min - self.left_px) / self.scale,
            y_min=(y_min - self.top_px) / self.scale,
            x_max=(max(x_max, x_min) - self.left_px) / self.scale,
            y_max=(max(y_max, y_min) - self.top_px) / self.scale,
        )


def require_bgr_image(image: BgrImage) -> None:
    """Refuse an array that is no colour picture.

    Raises:
        InvalidImageError: Not uint8, not ``(height, width, 3)``, no pixels, or
            a side longer than ``MAX_SIDE_PX``.
    """
    if not isinstance(image, np.ndarray):
        raise InvalidImageError(f"a picture is an array, got {type(image).__name__}")
    if image.dtype != np.uint8:
        raise InvalidImageError(f"a picture has uint8 values, got {image.dtype}")
    if image.ndim != _DIMENSIONS or image.shape[2] != _CHANNELS:
        raise InvalidImageError(f"a picture is (height, width, 3), got {image.shape}")
    height, width = image.shape[:2]
    if height == 0 or width == 0:
        raise InvalidImageError(f"a picture has pixels, got {width} x {height}")
    if max(height, width) > MAX_SIDE_PX:
        raise InvalidImageError(f"a side is at most {MAX_SIDE_PX} pixels, got {width} x {height}")


def letterboxed(
    image: BgrImage, *, longest_side_px: int, stride_px: int
) -> tuple[BgrImage, Letterbox]:
    """Scale a picture to a longest side and pad it with grey to whole strides.

    Only the shorter side is padded, to the next multiple of the stride: a
    wide frame costs the network no empty rows.

    Args:
        image: Picture, shape ``(height, width, 3)``.
        longest_side_px: Longer side of the result, a multiple of ``stride_px``.
        stride_px: What both sides of the result are multiples of.

    Returns:
        The padded picture and how to bring boxes back.

    Raises:
        InvalidImageError: See :func:`require_bgr_image`.
    """
    require_bgr_image(image)
    height, width = image.shape[:2]
    scale = longest_side_px / max(height, width)
    new_width = max(1, round(width * scale))
    new_height = max(1, round(height * scale))
    resized = image
    if (new_width, new_height) != (width, height):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(image, (new_width, new_height), interpolation=method).astype(
            np.uint8, copy=False
        )
    padded_width = _next_multiple(new_width, stride_px)
    padded_height = _next_multiple(new_height, stride_px)
    left, top = (padded_width - new_width) // 2, (padded_height - new_height) // 2
    padded = np.full((padded_height, padded_width, _CHANNELS), LETTERBOX_GREY, dtype=np.uint8)
    padded[top : top + new_height, left : left + new_width] = resized
    return padded, Letterbox(scale=scale, left_px=left, top_px=top)


def network_input(image: BgrImage) -> FloatArray:
    """One picture as a batch of one: RGB, channels first, 0 to 1.

    Returns:
        Shape ``(1, 3, height, width)``, contiguous.
    """
    require_bgr_image(image)
    rgb = image[:, :, ::-1].transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray(rgb, dtype=np.float32) / np.float32(255)


def cropped(image: BgrImage, box_px: BoxPx) -> BgrImage:
    """Cut a box out of a picture, clipped to it, at least one pixel large.

    Args:
        image: Picture, shape ``(height, width, 3)``.
        box_px: Box; a part outside the picture is left out.

    Returns:
        A copy, shape ``(h, w, 3)`` with ``h`` and ``w`` at least 1.

    Raises:
        InvalidImageError: See :func:`require_bgr_image`.
    """
    require_bgr_image(image)
    height, width = image.shape[:2]
    box = box_px.clipped(width=width, height=height)
    left = min(int(np.floor(box.x_min)), width - 1)
    top = min(int(np.floor(box.y_min)), height - 1)
    right = max(int(np.ceil(box.x_max)), left + 1)
    bottom = max(int(np.ceil(box.y_max)), top + 1)
    return image[top:bottom, left:right].copy()


def _next_multiple(value: int, step: int) -> int:
    return -(-value // step) * step
