# SPDX-License-Identifier: AGPL-3.0-or-later
"""Light on a plate: day, flash, infrared, lamps, hard shadows, wrong exposure, colour casts."""

from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.photo.wear import soft_field
from models.runtime.values import BgrImage

_Pixels = NDArray[np.float32]


class Lighting(StrEnum):
    """What lights the plate."""

    DAY = "day"
    FLASH = "flash"
    INFRARED = "infrared"
    LAMPS = "lamps"
    DARK = "dark"
    SHADOW = "shadow"
    WASHED_OUT = "washed_out"


_SHARES: Final = (
    (Lighting.FLASH, 0.16),
    (Lighting.INFRARED, 0.12),
    (Lighting.LAMPS, 0.14),
    (Lighting.DARK, 0.13),
    (Lighting.SHADOW, 0.16),
    (Lighting.WASHED_OUT, 0.1),
)
"""Shares at full strength; what is left is day."""

_NIGHT: Final = frozenset({Lighting.FLASH, Lighting.INFRARED, Lighting.LAMPS, Lighting.DARK})
_PLAIN: Final = frozenset({Lighting.DAY, Lighting.INFRARED})
_EVEN_ODDS: Final = 0.5
_GREY_SHARE: Final = 0.1
_CAST_SHARE: Final = 0.15
_CASTS: Final = ((0.55, 0.85, 1.1), (1.15, 0.95, 0.75), (0.8, 1.05, 0.9))
"""Sodium lamps, the blue hour, neon tubes: factors of blue, green and red."""

_INK: Final = 60
_BRIGHTEST_INK: Final = 170.0


def draw_lighting(rng: Generator, *, strength: float) -> Lighting:
    """Draw what lights the plate; always day at strength 0."""
    draw = float(rng.random())
    for lighting, share in _SHARES:
        draw -= share * min(1.0, 1.5 * strength)
        if draw < 0:
            return lighting
    return Lighting.DAY


def surroundings_gain(lighting: Lighting, rng: Generator) -> float:
    """How bright the surroundings are beside the plate, which throws light back."""
    return float(rng.uniform(0.08, 0.6)) if lighting in _NIGHT else 1.0


def lit(image: BgrImage, lighting: Lighting, rng: Generator, *, strength: float) -> BgrImage:
    """Light a picture.

    Args:
        image: Any picture; it is not changed.
        lighting: What lights it.
        rng: Source of randomness.
        strength: 0 changes nothing, 1 is hard to read.
    """
    if strength == 0:
        return image
    table = _exposure(lighting, rng, strength)
    if lighting is Lighting.INFRARED or rng.random() < _GREY_SHARE * strength:
        image = _greyed(image, lighting, rng)
    is_uneven = rng.random() < 0.5 * strength and lighting is not Lighting.SHADOW
    if lighting in _PLAIN and not is_uneven:
        return np.asarray(cv2.LUT(image, table.astype(np.uint8)), dtype=np.uint8)
    pixels = np.asarray(cv2.LUT(image, table), dtype=np.float32)
    if lighting is Lighting.FLASH:
        pixels = _flashed(pixels, rng, strength)
    elif lighting is Lighting.LAMPS:
        pixels = _lamp_lit(pixels, rng, strength)
    elif lighting is Lighting.DARK:
        pixels = _darkened(pixels, rng)
    elif lighting is Lighting.SHADOW:
        pixels *= _shadow(image.shape[:2], rng, strength)[..., None]
    elif lighting is Lighting.WASHED_OUT:
        pixels = _washed_out(pixels, rng, strength)
    if is_uneven:
        field = soft_field(image.shape[:2], rng, cells=(2, 3))
        pixels *= (1 + (field - 0.5) * (1.0 * strength))[..., None]
    return np.clip(pixels, 0, 255, out=pixels).astype(np.uint8)


def _exposure(lighting: Lighting, rng: Generator, strength: float) -> _Pixels:
    """White balance, exposure and contrast of an ordinary camera: a table ``(1, 256, 3)``."""
    cast = 1 + rng.standard_normal(3) * (0.1 * strength)
    if rng.random() < _CAST_SHARE * strength and lighting is not Lighting.INFRARED:
        cast *= _CASTS[int(rng.integers(len(_CASTS)))]
    gain = float(np.exp(np.clip(rng.normal(0, 0.45), -0.9, 0.7) * strength))
    contrast = 1 - float(rng.uniform(0, 0.6)) * strength
    steps = np.arange(256, dtype=np.float32)[:, None] * cast * contrast + 128 * (gain - contrast)
    # Paint stays darker than the sensor's limit, or the glyphs would be gone.
    steps -= max(0.0, float(steps[_INK].min()) - _BRIGHTEST_INK)
    return np.clip(steps, 0, 255).astype(np.float32)[None]


def _greyed(image: BgrImage, lighting: Lighting, rng: Generator) -> BgrImage:
    """A camera in night mode; infrared sees red and blue sheets bright, so any mix comes out."""
    mix = rng.dirichlet((2, 2, 2)) if lighting is Lighting.INFRARED else (0.11, 0.59, 0.3)
    grey = cv2.transform(image, np.array([mix], np.float32))
    return np.asarray(cv2.merge((grey, grey, grey)), dtype=np.uint8)


def _bloom(shape: tuple[int, int], rng: Generator, *, radius_share: tuple[float, float]) -> _Pixels:
    """Round glow of a lamp, 0 to 1, shape ``(height, width)``; its middle may lie outside."""
    height, width = shape
    x, y = rng.uniform(-0.15, 1.15) * width, rng.uniform(-0.25, 1.25) * height
    radius = rng.uniform(*radius_share) * np.sqrt(width * height)
    dx = (np.arange(width, dtype=np.float32) - np.float32(x)) / np.float32(radius)
    dy = (np.arange(height, dtype=np.float32) - np.float32(y)) / np.float32(radius)
    return np.asarray(np.exp(-(dx * dx))[None, :] * np.exp(-(dy * dy))[:, None], np.float32)


def _flashed(pixels: _Pixels, rng: Generator, strength: float) -> _Pixels:
    """A phone's flash: the sheet shines, with a hot spot that eats into the glyphs."""
    pixels *= float(rng.uniform(0.9, 1.0 + 0.5 * strength))
    spot = _bloom(pixels.shape[:2], rng, radius_share=(0.08, 0.5))
    pixels += (spot * float(rng.uniform(30, 60 + 150 * strength)))[..., None]
    if rng.random() < 0.3:  # noqa: PLR2004 -- share with a lamp mirrored in full
        core = _bloom(pixels.shape[:2], rng, radius_share=(0.02, 0.08))
        pixels += (core * 255)[..., None]
    return pixels


def _darkened(pixels: _Pixels, rng: Generator) -> _Pixels:
    """Under-exposure; what is left of the contrast stays above the noise of eight bits."""
    spread = float(pixels[::4, ::4].std())
    gain = max(float(rng.uniform(0.16, 0.6)), min(0.8, 18.0 / max(spread, 1.0)))
    pixels *= gain
    pixels += float(rng.uniform(0, 22))
    return pixels


def _lamp_lit(pixels: _Pixels, rng: Generator, strength: float) -> _Pixels:
    """Night with a headlight, a tail lamp or a number-plate lamp near the plate."""
    pixels *= float(rng.uniform(0.35, 0.85))
    for _ in range(int(rng.integers(1, 3))):
        glow = _bloom(pixels.shape[:2], rng, radius_share=(0.2, 0.8))
        colours = np.array([[1, 1, 1], [0.75, 0.95, 1.0], [0.2, 0.25, 1.0], [1.0, 0.92, 0.85]])
        colour = rng.choice(colours).astype(np.float32)
        pixels += glow[..., None] * (colour * float(rng.uniform(40, 70 + 120 * strength)))
    return pixels


def _shadow(shape: tuple[int, int], rng: Generator, strength: float) -> _Pixels:
    """A hard edge of shade across the plate, now and then a second one."""
    height, width = shape
    gain = np.ones(shape, np.float32)
    for _ in range(1 + int(rng.random() < 0.3)):  # noqa: PLR2004 -- share of bars of shade
        angle = float(rng.uniform(0, 2 * np.pi))
        x0, y0 = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        x = (np.arange(width, dtype=np.float32) - np.float32(x0)) * np.float32(np.cos(angle))
        y = (np.arange(height, dtype=np.float32) - np.float32(y0)) * np.float32(np.sin(angle))
        soft_px = float(rng.uniform(0.5, 0.06 * height + 1))
        side = np.clip((x[None, :] + y[:, None]) / soft_px + 0.5, 0, 1)
        gain *= 1 - side * float(rng.uniform(0.3, 0.45 + 0.4 * strength))
    gain *= float(rng.uniform(1.0, 1.0 + 0.5 * strength))
    return gain


def _washed_out(pixels: _Pixels, rng: Generator, strength: float) -> _Pixels:
    """Over-exposure: light spills from the sheet over the strokes and thins them."""
    spill = cv2.GaussianBlur(pixels, (0, 0), 0.5 + pixels.shape[0] * 0.012)
    pixels += np.maximum(spill - pixels, 0) * float(rng.uniform(0.3, 0.4 + 0.5 * strength))
    darkest = float(pixels[::3, ::3].min())
    gain = float(rng.uniform(1.1, 1.25 + 0.45 * strength))
    lift = float(rng.uniform(0, 50 * strength))
    pixels *= gain
    pixels += min(lift, _BRIGHTEST_INK - gain * darkest)
    return pixels
