# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single samples for the plate reader: rendered plates, real ones, and what is no plate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.camera import Severity, degrade, photographed, random_severity
from models.datasets.synth.not_plates import random_not_plate
from models.datasets.synth.plates import PlateSpec, random_plate_spec, render_plate
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.values import BgrImage, FloatArray, PlateColour, PlateLayout
from models.training.plates.plate_views import any_ground, reprojected

BLANK: Final = len(ALPHABET)
IGNORED: Final = -100
"""Target without a truth; the loss leaves it out."""
LAYOUTS: Final = (PlateLayout.ONE_LINE, PlateLayout.TWO_LINE)
COLOURS: Final = (PlateColour.WHITE, PlateColour.YELLOW, PlateColour.BLUE, PlateColour.RED)

_INDEX: Final[Mapping[str, int]] = MappingProxyType({c: i for i, c in enumerate(ALPHABET)})
_ONE_LINE_HEIGHT_PX: Final = 80
_TWO_LINE_HEIGHT_PX: Final = 130
_AS_IT_IS_SHARE: Final = 0.3
_REAL_GROUND_SHARE: Final = 0.35
_EVEN_ODDS: Final = 0.5
_SOFTER: Final = 0.6
"""A real picture has blur, noise and light of its own already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPlate:
    """One photographed plate.

    Attributes:
        image: Crop or scene.
        corners_px: The plate's corners in it, shape ``(4, 2)``.
        text: What it says.
        layout: Number of lines.
        group: Names the plate without telling its text.
    """

    image: BgrImage
    corners_px: FloatArray
    text: str
    layout: PlateLayout
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One training picture with its targets.

    ``IGNORED`` and ``None`` stand where the truth is unknown or has no meaning.
    """

    image: BgrImage
    corners_px: FloatArray | None
    characters: NDArray[np.int64]
    layout: int
    colour: int
    is_legible: bool | None
    is_genuine: bool | None


def encode_text(text: str) -> NDArray[np.int64]:
    """Slot classes of a text, filled up with blanks.

    Raises:
        ValueError: If the text has more than ten characters or an unknown one.
    """
    if len(text) > MAX_PLATE_LENGTH or not set(text) <= set(ALPHABET):
        raise ValueError("a plate has at most ten characters, A to Z and 0 to 9")
    codes = [_INDEX[character] for character in text]
    return np.array(codes + [BLANK] * (MAX_PLATE_LENGTH - len(text)), np.int64)


class RenderedPlates:
    """Rendered plates of random legal formats, each photographed twice.

    Drawing a plate costs more than photographing it, and two photographs of
    one plate teach nearly as much as those of two.
    """

    def __init__(self) -> None:
        self._kept: tuple[PlateSpec, BgrImage] | None = None

    def sample(self, rng: Generator, grounds: Sequence[BgrImage]) -> Sample:
        """A photograph under random conditions."""
        spec, plate = self._kept or _drawn(rng)
        self._kept = None if self._kept else (spec, plate)
        shot = photographed(
            plate, rng=rng, severity=random_severity(rng), ground=any_ground(grounds, rng)
        )
        return Sample(
            image=shot.image,
            corners_px=shot.corners_px,
            characters=encode_text(spec.text),
            layout=LAYOUTS.index(spec.layout),
            colour=COLOURS.index(spec.colour),
            is_legible=True,
            is_genuine=True,
        )


def _drawn(rng: Generator) -> tuple[PlateSpec, BgrImage]:
    spec = random_plate_spec(rng)
    is_long = spec.layout is PlateLayout.ONE_LINE
    height_px = _ONE_LINE_HEIGHT_PX if is_long else _TWO_LINE_HEIGHT_PX
    return spec, render_plate(spec, height_px=height_px, rng=rng)


def real_sample(plate: RealPlate, rng: Generator, grounds: Sequence[BgrImage]) -> Sample:
    """A real plate, most times seen from elsewhere and spoiled again."""
    severity = _softer(random_severity(rng))
    image, corners_px = plate.image, plate.corners_px
    is_crop = _fills(plate)
    if is_crop and rng.random() < _AS_IT_IS_SHARE:
        image = degrade(image, rng=rng, severity=severity)
    else:
        ground = any_ground(grounds, rng) if is_crop and rng.random() < _EVEN_ODDS else None
        view = reprojected(image, corners_px, rng=rng, severity=severity, ground=ground)
        image, corners_px = view.image, view.corners_px
    return Sample(
        image=image,
        corners_px=corners_px,
        characters=encode_text(plate.text),
        layout=LAYOUTS.index(plate.layout),
        colour=IGNORED,
        is_legible=True,
        is_genuine=True,
    )


def illegible_sample(rng: Generator, grounds: Sequence[BgrImage]) -> Sample:
    """A plate so small that nobody could read it."""
    rendered = RenderedPlates().sample(rng, grounds)
    size = (int(rng.integers(5, 13)), int(rng.integers(4, 8)))
    small = cv2.resize(rendered.image, size, interpolation=cv2.INTER_AREA)
    image = np.asarray(cv2.resize(small, (120, 60)), dtype=np.uint8)
    return replace(
        _without_text(degrade(image, rng=rng, severity=random_severity(rng))), is_legible=False
    )


def not_plate_sample(rng: Generator, grounds: Sequence[BgrImage]) -> Sample:
    """What a detector may take for a Vietnamese plate: lettering, foreign plates, any ground."""
    if grounds and rng.random() < _REAL_GROUND_SHARE:
        ground = grounds[int(rng.integers(len(grounds)))]
        image = degrade(ground, rng=rng, severity=_softer(random_severity(rng)))
    else:
        image = random_not_plate(rng)
    return replace(_without_text(image), is_genuine=False)


def _without_text(image: BgrImage) -> Sample:
    return Sample(
        image=image,
        corners_px=None,
        characters=np.full(MAX_PLATE_LENGTH, IGNORED, np.int64),
        layout=IGNORED,
        colour=IGNORED,
        is_legible=None,
        is_genuine=None,
    )


def _fills(plate: RealPlate) -> bool:
    """Whether the picture is a crop of the plate and not a scene."""
    width, height = np.ptp(plate.corners_px, axis=0)
    return bool(width * height > 0.3 * plate.image.shape[0] * plate.image.shape[1])


def _softer(severity: Severity) -> Severity:
    return replace(
        severity,
        blur=severity.blur * _SOFTER,
        noise=severity.noise * _SOFTER,
        light=severity.light * _SOFTER,
        weather=severity.weather * _SOFTER,
    )
