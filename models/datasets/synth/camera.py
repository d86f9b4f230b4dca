# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a camera at the roadside or in a hand does to a plate.

``photographed`` turns a frontal plate into the crop that a plate detector would cut out of a
frame, and knows where the plate lies in it; ``degrade`` changes a picture only, not its geometry.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.photo.conditions import NO_DEGRADATION, Severity, random_severity
from models.datasets.synth.photo.lighting import Lighting, draw_lighting, lit, surroundings_gain
from models.datasets.synth.photo.optics import blurred, noised, rained, recorded
from models.datasets.synth.photo.surroundings import filled, framed, hide_parts, random_surroundings
from models.datasets.synth.photo.viewpoint import glyph_height_px, random_view, warp_onto
from models.datasets.synth.photo.wear import worn
from models.runtime.values import BgrImage

__all__ = [
    "NO_DEGRADATION",
    "Photograph",
    "Severity",
    "degrade",
    "photograph",
    "photographed",
    "random_severity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """A crop around a plate, and where the plate lies in it.

    Attributes:
        image: The crop as the camera delivers it.
        corners_px: Shape ``(4, 2)``, float32: the plate's corners in pixels of ``image``,
            clockwise from the plate's own top left one; outside of it where the box cuts.
    """

    image: BgrImage
    corners_px: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse anything but four corners."""
        if self.corners_px.shape != (4, 2):
            raise ValueError(f"a plate has four corners, got {self.corners_px.shape}")


def photograph(plate: BgrImage, *, rng: Generator, severity: Severity) -> BgrImage:
    """Crop of a plate as a detector would cut it out of a camera's frame.

    The picture of ``photographed``, for those who don't ask where the plate lies in it.
    """
    return photographed(plate, rng=rng, severity=severity).image


def photographed(
    plate: BgrImage, *, rng: Generator, severity: Severity, ground: BgrImage | None = None
) -> Photograph:
    """Crop of a plate as a detector would cut it out of a camera's frame, with its corners.

    Args:
        plate: Clean frontal plate, filling its picture.
        rng: Source of randomness.
        severity: Conditions.
        ground: Picture of any size that surrounds the plate; ``None`` draws a bumper.

    Returns:
        A crop up to 420 pixels wide, surroundings included where the box is loose. Without
        severity the plate fills it.
    """
    view = random_view(plate.shape[1] / plate.shape[0], rng=rng, severity=severity)
    lighting = draw_lighting(rng, strength=severity.light)
    sheet = _prefiltered(plate, view.corners_px)
    sheet = worn(sheet, rng, strength=severity.weather)
    sheet, pad_px = framed(sheet, rng, strength=severity.weather)
    size = {"height_px": view.height_px, "width_px": view.width_px}
    crop = random_surroundings(rng, **size) if ground is None else filled(ground, **size)
    if lighting is not Lighting.DAY:
        crop = cv2.convertScaleAbs(crop, alpha=surroundings_gain(lighting, rng)).astype(np.uint8)
    warp_onto(crop, sheet, view, pad_px=pad_px)
    hide_parts(crop, view, rng, strength=severity.weather)
    image = _taken(crop, lighting, rng=rng, severity=severity, glyph_px=view.glyph_px)
    return Photograph(image=image, corners_px=view.corners_px.astype(np.float32))


def degrade(image: BgrImage, *, rng: Generator, severity: Severity) -> BgrImage:
    """Weather, light, blur, noise and compression; size and geometry stay.

    Args:
        image: Any picture, most times a crop of a plate; it is not changed.
        rng: Source of randomness.
        severity: Conditions; ``viewpoint`` and ``jitter`` have no meaning here.

    Returns:
        A new picture of the same shape.
    """
    result = worn(image, rng, strength=severity.weather)
    lighting = draw_lighting(rng, strength=severity.light)
    glyph_px = glyph_height_px(height_px=image.shape[0], width_px=image.shape[1])
    result = _taken(result, lighting, rng=rng, severity=severity, glyph_px=glyph_px)
    return result.copy() if result is image else result


def _taken(
    image: BgrImage, lighting: Lighting, *, rng: Generator, severity: Severity, glyph_px: float
) -> BgrImage:
    """From the light on the scene to the file."""
    result = lit(image, lighting, rng, strength=severity.light)
    if rng.random() < 0.4 * severity.weather:
        result = rained(result, rng, strength=severity.weather)
    result = blurred(result, rng, strength=severity.blur, glyph_px=glyph_px)
    result = noised(result, rng, strength=severity.noise, glyph_px=glyph_px)
    return recorded(result, rng, strength=severity.compression, glyph_px=glyph_px)


def _prefiltered(plate: BgrImage, corners_px: NDArray[np.float64]) -> BgrImage:
    """Shrink a plate to about its size in the crop, so that the warp does not alias."""
    sides = np.hypot(*(corners_px[[1, 2, 3, 0]] - corners_px).T).tolist()
    ratio = 1.25 * max(
        (sides[0] + sides[2]) / (2 * plate.shape[1]),
        (sides[1] + sides[3]) / (2 * plate.shape[0]),
    )
    small = plate
    while ratio <= 0.5 and min(small.shape[:2]) > 3:  # noqa: PLR2004 -- halving is exact and fast
        small = np.asarray(
            cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8
        )
        ratio *= 2
    if ratio >= 1:
        return small
    size = max(2, round(small.shape[1] * ratio)), max(2, round(small.shape[0] * ratio))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
