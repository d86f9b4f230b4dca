# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be measured on a picture itself, so that slices follow one stated rule."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.datasets.synth.photo.viewpoint import glyph_height_px
from models.runtime.values import BgrImage

NIGHT_BELOW: Final = 80.0
"""Mean grey of a whole picture, 0 to 255, below which it counts as night."""
DARK_CROP_BELOW: Final = 100.0
"""The same for the crop of a plate, which is brighter than its surroundings."""
SHARPNESS_SIZE_PX: Final = (160, 64)
"""Width and height that a crop is brought to before its sharpness is measured."""
BLURRED_BELOW: Final = 0.15
SHARP_FROM: Final = 0.4
TILT_EDGES_DEG: Final = (5, 10, 20)
GLYPH_EDGES_PX: Final = (14, 20, 32)

RULES: Final = """\
night: mean grey of the whole picture below 80 of 255; of a plate's crop below 100
blur: variance of the Laplacian over the variance of the grey values, crop brought to 160 x 64 px; \
blurred below 0.15, sharp from 0.4
tilt: largest angle between an edge of the plate and the picture's own edges; exact on rendered \
plates, on real ones between the corners that the corner network finds
glyph height: the law's share of the plate's height, 63 of 110 mm on one line, 63 of 165 on two
size: COCO's areas, small below 32 x 32 px of the picture, large from 96 x 96
motorcycle: its box holds the rider, also where the source boxed the two apart
colour of real plates: as it was read, for nobody wrote it down"""
"""How the slices are told apart, one rule a line; a test holds the numbers to the constants."""


def mean_luminance(image: BgrImage) -> float:
    """Mean grey value of a picture, 0 to 255."""
    return float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean())


def sharpness(image: BgrImage) -> float:
    """Variance of the Laplacian over that of the grey values, both at one size.

    A blurred picture has a low value; contrast and size do not count.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    fitted = cv2.resize(grey, SHARPNESS_SIZE_PX, interpolation=cv2.INTER_AREA).astype(np.float64)
    spread = float(fitted.var())
    return float(cv2.Laplacian(fitted, cv2.CV_64F).var()) / spread if spread > 0 else 0.0


def tilt_deg(corners_px: NDArray[np.float32]) -> float:
    """Largest angle between an edge of a plate and the picture's own edges, 0 to 90 degrees.

    Args:
        corners_px: Shape ``(4, 2)``, clockwise from the top left.
    """
    edges = np.abs(np.roll(corners_px, -1, axis=0) - corners_px)
    along, across = edges[[0, 2]], edges[[1, 3]]
    angles = np.arctan2(
        np.concatenate((along[:, 1], across[:, 0])), np.concatenate((along[:, 0], across[:, 1]))
    )
    return float(np.degrees(angles.max()))


def crop_facets(image: BgrImage, corners_px: NDArray[np.float32]) -> dict[str, str]:
    """What slices a plate's crop belongs to by its own looks.

    Args:
        image: Crop of a plate.
        corners_px: Corners of the plate in it, shape ``(4, 2)``, clockwise from
            the top left.

    Returns:
        Light, blur, tilt and glyph height, each as a band's name.
    """
    sharp = sharpness(image)
    sides = np.linalg.norm(np.roll(corners_px, -1, axis=0) - corners_px, axis=1)
    width, height = float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2
    blur = "blurred" if sharp < BLURRED_BELOW else "sharp" if sharp >= SHARP_FROM else "middling"
    return {
        "light": "night" if mean_luminance(image) < DARK_CROP_BELOW else "day",
        "blur": blur,
        "tilt": _band(tilt_deg(corners_px), TILT_EDGES_DEG, unit="degrees"),
        "glyphs": _band(
            glyph_height_px(height_px=height, width_px=width), GLYPH_EDGES_PX, unit="px"
        ),
    }


def _band(value: float, edges: Sequence[int], *, unit: str) -> str:
    for low, high in zip((0, *edges), edges, strict=False):
        if value < high:
            return f"{low} to {high} {unit}"
    return f"from {edges[-1]} {unit}"
