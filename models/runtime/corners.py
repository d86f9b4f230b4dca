# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a plate's four corners lie in its crop, and the plate seen from the front.

A street or phone picture shows plates tilted by up to 40 degrees, and no
detector's box follows them. A small network looks at the crop first; the
plate between its corners is then stretched flat before it is read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelFormatError
from models.runtime.images import require_bgr_image
from models.runtime.registry import PLATE_CORNERS, ModelFile, load_model
from models.runtime.sessions import Session, open_session
from models.runtime.values import Backend, BgrImage, FloatArray

MAX_BATCH: Final = 256
CORNERS_HEIGHT_PX: Final = 48
CORNERS_WIDTH_PX: Final = 96
MARGIN_X: Final = 0.03
"""Free share on the left and on the right of a flattened plate. Higher forgives corners that lie
too far inside, and leaves fewer pixels to the glyphs."""
MARGIN_Y: Final = 0.05
"""The same above and below."""
_FRAME: Final = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
_AREA_MIN: Final = 0.08
"""Share of the crop that four corners must enclose; less is no plate that a detector would cut."""
_REACH_MAX: Final = 0.5
"""How far outside the crop a corner may lie, as a share of its size."""


class PlateCorners:
    """The corner network with its weights; not to be shared between threads."""

    def __init__(self, model: ModelFile, session: Session) -> None:
        self._session = session
        self._digest = model.sha256
        self._height_px = model.config.whole_number("input_height_px")
        self._width_px = model.config.whole_number("input_width_px")
        if session.output_names != ("corners",):
            raise ModelFormatError(f"model {model.name} has other outputs than corners")

    @classmethod
    def open(
        cls, *, backend: Backend = Backend.AUTO, threads: int = 1, folder: Path | None = None
    ) -> Self:
        """Load the corner network that the registry names.

        Args:
            backend: Inference library.
            threads: Threads of one inference.
            folder: Folder with registry and weights; ``None`` is the package's own.

        Raises:
            ModelsError: If the model is absent, changed, or can not be run.
        """
        model = load_model(PLATE_CORNERS, folder=folder)
        return cls(model, open_session(model.path, backend=backend, threads=threads))

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, 64 hexadecimal characters."""
        return self._digest

    def find(self, crops: Sequence[BgrImage]) -> FloatArray:
        """Corners of the plate in each crop.

        Args:
            crops: Pictures of one plate each, BGR, any size, at most ``MAX_BATCH``.

        Returns:
            Shape ``(n, 4, 2)``, ``x, y`` in pixels of each crop, clockwise from the plate's top
            left; may lie a little outside. The crop's own corners where no plate was made out.

        Raises:
            InvalidImageError: If a crop is no colour picture.
        """
        if not crops:
            return np.empty((0, 4, 2), np.float32)
        batch = stretched(crops, height_px=self._height_px, width_px=self._width_px)
        shares = self._session.run(batch)[0].reshape(-1, 4, 2)
        return np.stack(
            [
                plausible_corners(one) * np.array(crop.shape[1::-1], np.float32)
                for one, crop in zip(shares, crops, strict=True)
            ]
        )


def stretched(crops: Sequence[BgrImage], *, height_px: int, width_px: int) -> NDArray[np.uint8]:
    """Crops stretched to one size, shape ``(n, height_px, width_px, 3)``.

    Raises:
        InvalidImageError: If a crop is no colour picture.
        ValueError: If there are more than ``MAX_BATCH`` crops.
    """
    if len(crops) > MAX_BATCH:
        raise ValueError(f"at most {MAX_BATCH} crops at once, got {len(crops)}")
    batch = np.empty((len(crops), height_px, width_px, 3), np.uint8)
    for index, crop in enumerate(crops):
        require_bgr_image(crop)
        shrinks = crop.shape[0] > height_px or crop.shape[1] > width_px
        mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        cv2.resize(crop, (width_px, height_px), dst=batch[index], interpolation=mode)
    return batch


def plausible_corners(shares: FloatArray) -> FloatArray:
    """Corners as they are, or the whole crop where they can not be a plate's.

    Args:
        shares: Shape ``(4, 2)``, as shares of the crop's width and height.

    Returns:
        Shape ``(4, 2)``; convex, clockwise, of a sensible size.
    """
    if not np.isfinite(shares).all() or np.abs(shares - 0.5).max() > 0.5 + _REACH_MAX:
        return _FRAME.copy()
    edges = np.roll(shares, -1, axis=0) - shares
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    x, y = shares[:, 0], shares[:, 1]
    area = 0.5 * float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())
    if turns.min() <= 0 or area < _AREA_MIN:
        return _FRAME.copy()
    return shares.astype(np.float32)


def frame_corners(image: BgrImage) -> FloatArray:
    """A picture's own corners in pixels, shape ``(4, 2)``, clockwise from the top left."""
    return _FRAME * np.array(image.shape[1::-1], np.float32)


def flattened(
    image: BgrImage, corners_px: FloatArray, *, height_px: int, width_px: int
) -> BgrImage:
    """The plate between four corners, seen from the front.

    Args:
        image: Crop of a plate.
        corners_px: Shape ``(4, 2)``, clockwise from the plate's top left.
        height_px: Rows of the result.
        width_px: Columns of the result.

    Returns:
        Shape ``(height_px, width_px, 3)``; around the plate is a margin of ``MARGIN_X`` and
        ``MARGIN_Y``, and what lies outside the crop repeats its edge.
    """
    inset = np.array([MARGIN_X, MARGIN_Y], np.float32)
    target = (inset + _FRAME * (1 - 2 * inset)) * np.array([width_px, height_px], np.float32)
    source = corners_px.astype(np.float32)
    shrink = _shrinking(source, height_px=height_px, width_px=width_px)
    if shrink < 1.0:
        image = np.asarray(
            cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        source = source * np.float32(shrink)
    matrix = cv2.getPerspectiveTransform(source, target)
    flat = cv2.warpPerspective(
        image, matrix, (width_px, height_px), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(flat, dtype=np.uint8)


def _shrinking(corners_px: FloatArray, *, height_px: int, width_px: int) -> float:
    """Factor by which a large crop is averaged down first, so that the warp does not alias."""
    sides = np.linalg.norm(np.roll(corners_px, -1, axis=0) - corners_px, axis=1)
    across, down = max(sides[0], sides[2]), max(sides[1], sides[3])
    ratio = 1.5 * max(width_px / max(across, 1.0), height_px / max(down, 1.0))
    return float(min(1.0, ratio))
