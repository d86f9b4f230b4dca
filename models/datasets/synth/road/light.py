# SPDX-License-Identifier: AGPL-3.0-or-later
"""Weather, darkness, lamps, lens and sensor: what stands between the road and the picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.road.backdrop import Backdrop
from models.datasets.synth.road.paint import Colour
from models.datasets.synth.road.space import Lens
from models.runtime.values import BgrImage

RAIN_LIGHT: Final = (0.8, 0.76, 0.72)
TILE_MARGIN_PX: Final = 160
GLOW_PX: Final = 128
GRAIN: Final = 16.0
STREAKS_PER_PIXEL: Final = 0.0011


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Shares of rain and night, each from 0 (none) to 1 (full)."""

    rain: float
    night: float

    def __post_init__(self) -> None:
        """Refuse shares outside 0 to 1."""
        if not (0 <= self.rain <= 1 and 0 <= self.night <= 1):
            raise ValueError(f"shares lie in 0 to 1, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Pictures of grain and rain that are shifted from frame to frame instead of drawn anew.

    Attributes:
        day_grain: What the sensor's grain adds and takes away by day.
        night_grain: The same at night, when the gain is high.
        rain: Streaks.
        glow: Light around a lamp, shape ``(GLOW_PX, GLOW_PX)``, 0 to 1.
    """

    day_grain: tuple[BgrImage, BgrImage]
    night_grain: tuple[BgrImage, BgrImage]
    rain: BgrImage
    glow: NDArray[np.float32]


def make_film(lens: Lens, *, rng: Generator) -> Film:
    """Prepare grain and rain a little larger than the picture."""
    rows, columns = lens.height_px + TILE_MARGIN_PX, lens.width_px + TILE_MARGIN_PX
    noise = rng.standard_normal((rows, columns, 3), dtype=np.float32)
    grain = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6), np.float32) * np.float32(GRAIN)
    axis = (np.arange(GLOW_PX) + 0.5) / GLOW_PX * 2 - 1
    radius = np.hypot(axis[None, :], axis[:, None])
    glow = np.clip(1 - radius, 0, 1) ** 3 + np.exp(-((radius / 0.12) ** 2))
    return Film(
        day_grain=_both_signs(grain * 0.5),
        night_grain=_both_signs(grain),
        rain=_streaks(rows, columns, rng),
        glow=np.clip(glow, 0, 1).astype(np.float32),
    )


def _both_signs(grain: NDArray[np.float32]) -> tuple[BgrImage, BgrImage]:
    """What grain adds and what it takes away; saturating bytes are quicker than signed numbers."""
    return (
        np.asarray(np.clip(grain, 0, 255).astype(np.uint8)),
        np.asarray(np.clip(-grain, 0, 255).astype(np.uint8)),
    )


def _streaks(rows: int, columns: int, rng: Generator) -> BgrImage:
    picture = np.zeros((rows, columns, 3), np.uint8)
    for _ in range(int(rows * columns * STREAKS_PER_PIXEL)):
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        length, tone = int(rng.integers(8, 34)), int(rng.integers(26, 84))
        end = (x - length // 6, y + length)
        cv2.line(picture, (x, y), end, (tone, tone, tone), 1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


def empty_road(backdrop: Backdrop, weather: Weather) -> BgrImage:
    """The road by day, wetter as it rains more; a fresh picture."""
    if weather.rain == 0:
        return backdrop.dry.copy()
    wet = cv2.addWeighted(backdrop.wet, weather.rain, backdrop.dry, 1 - weather.rain, 0)
    return np.asarray(wet, np.uint8)


def light_map(backdrop: Backdrop, weather: Weather) -> BgrImage | None:
    """How much light falls on each pixel, 0 to 255 per channel; ``None`` in full daylight."""
    if weather.rain == 0 and weather.night == 0:
        return None
    rain = np.array(RAIN_LIGHT) * weather.rain + (1 - weather.rain)
    day = np.empty_like(backdrop.night)
    day[:] = (rain * 255).round().astype(np.uint8)
    mixed = cv2.addWeighted(backdrop.night, weather.night, day, 1 - weather.night, 0)
    return np.asarray(mixed, np.uint8)


def add_glow(
    picture: BgrImage,
    film: Film,
    *,
    centre_px: tuple[float, float],
    width_px: float,
    height_px: float,
    colour: Colour,
    strength: float,
) -> None:
    """Add light around a point, clipped to the picture."""
    rows, columns = picture.shape[:2]
    left, top = round(centre_px[0] - width_px / 2), round(centre_px[1] - height_px / 2)
    wide, high = max(2, round(width_px)), max(2, round(height_px))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, columns), min(top + high, rows)
    if x1 <= x0 or y1 <= y0:
        return
    scale_x, scale_y = GLOW_PX / wide, GLOW_PX / high
    matrix = np.array([[scale_x, 0, (x0 - left) * scale_x], [0, scale_y, (y0 - top) * scale_y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shape = cv2.warpAffine(film.glow, matrix, (x1 - x0, y1 - y0), flags=flags)
    light = shape[..., None] * (np.array(colour, np.float32) * np.float32(strength))
    part = picture[y0:y1, x0:x1]
    picture[y0:y1, x0:x1] = cv2.add(part, np.clip(light, 0, 255).astype(np.uint8))


def developed(
    picture: BgrImage, film: Film, weather: Weather, *, rng: Generator, softness_px: float
) -> BgrImage:
    """Add rain, the lens's softness and the sensor's grain.

    Args:
        picture: The lit road; changed in place where that is quicker.
        film: Grain and rain.
        weather: How much of each there is.
        rng: Source of randomness.
        softness_px: Blur of the lens; more hides edges and small plates.
    """
    rows, columns = picture.shape[:2]
    if weather.rain > 0:
        y, x = (int(v) for v in rng.integers(0, TILE_MARGIN_PX, 2))
        rain = film.rain[y : y + rows, x : x + columns]
        faint = rain if weather.rain == 1 else cv2.convertScaleAbs(rain, alpha=weather.rain)
        picture = np.asarray(cv2.add(picture, faint), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(picture, (3, 3), softness_px), np.uint8)
    y, x, v, u = (int(part) for part in rng.integers(0, TILE_MARGIN_PX, 4))
    bright, dark = film.night_grain if weather.night > 0.5 else film.day_grain  # noqa: PLR2004
    bright, dark = bright[y : y + rows, x : x + columns], dark[v : v + rows, u : u + columns]
    return np.asarray(cv2.subtract(cv2.add(picture, bright), dark), np.uint8)
