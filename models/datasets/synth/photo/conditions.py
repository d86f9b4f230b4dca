# SPDX-License-Identifier: AGPL-3.0-or-later
"""How hard a rendered picture is to read: strengths of everything that spoils a photograph."""

from dataclasses import dataclass
from typing import Final

from numpy.random import Generator

_TILTED_SHARE: Final = 0.5
"""Pictures taken by phone or beside the road; a higher share means fewer frontal plates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """How hard the conditions are; every field in [0, 1], 0 changes nothing.

    Attributes:
        viewpoint: Tilt and turn of the plate up to 40 degrees at 1, roll up to 35 degrees.
        blur: Motion and focus.
        noise: Sensor noise.
        light: Night with flash or infrared, glare, shadows, wrong exposure, colour cast.
        weather: Rain, dirt and wear of the plate, things that hide a part of it.
        compression: JPEG and video artefacts, low resolution, oversharpening.
        jitter: Looseness and shift of the detector's box.
    """

    viewpoint: float = 0.5
    blur: float = 0.5
    noise: float = 0.5
    light: float = 0.5
    weather: float = 0.5
    compression: float = 0.5
    jitter: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a strength outside 0 to 1."""
        for name in self.__slots__:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"severity {name} lies in 0 to 1")


NO_DEGRADATION: Final = Severity(
    viewpoint=0, blur=0, noise=0, light=0, weather=0, compression=0, jitter=0
)


def random_severity(rng: Generator) -> Severity:
    """Conditions of one picture: most are mild, a tail is hard, each on its own.

    The viewpoint is frontal or well tilted: cameras are mounted, phones are not.
    """
    blur, noise, light, weather, compression, jitter = rng.beta(1.1, 2.2, 6).tolist()
    is_tilted = rng.random() < _TILTED_SHARE
    viewpoint = float(rng.uniform(0.35, 1.0) if is_tilted else rng.beta(1.2, 4.0))
    return Severity(
        viewpoint=viewpoint,
        blur=blur,
        noise=noise,
        light=light,
        weather=weather,
        compression=compression,
        jitter=jitter,
    )
