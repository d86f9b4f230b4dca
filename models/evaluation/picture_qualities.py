# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be measured on a picture itself, so that slices follow one stated rule."""

from typing import Final

import cv2
import numpy as np

from models.runtime.values import BgrImage

NIGHT_BELOW: Final = 80.0
"""Mean grey of a whole picture, 0 to 255, below which it counts as night."""
DARK_CROP_BELOW: Final = 100.0
"""The same for the crop of a plate, which is brighter than its surroundings."""
SHARPNESS_SIZE_PX: Final = (160, 64)
"""Width and height that a crop is brought to before its sharpness is measured."""


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
