# SPDX-License-Identifier: AGPL-3.0-or-later
"""Between the plate and the file: rain, motion, focus, sensor noise, sharpening, compression."""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.runtime.values import BgrImage

_NOISE_FIELD_PX: Final = 512
_GRAINY_SHARE: Final = 0.3
_EVEN_ODDS: Final = 0.5
_MOTION_SHARE: Final = 0.5
_MAX_MOTION_GLYPHS: Final = 0.2
_MAX_DEFOCUS_GLYPHS: Final = 0.068
_MAX_NOISE: Final = 24.0
_CLEAR_GLYPH_PX: Final = 30.0
"""Glyphs of this height bear full noise and compression; smaller ones get less of them."""

_MIN_GLYPH_PX: Final = 7.0
_JPEG_QUALITY: Final = (20, 94)
_VIDEO_QUALITY: Final = (12, 45)
_VIDEO_SHARE: Final = 0.3
_LOW_RESOLUTION_SHARE: Final = 0.4
_SHARPENED_SHARE: Final = 0.35
_BLOCK_PX: Final = 8


class _Noise(StrEnum):
    """Whether the three colours have the same noise."""

    GREY = "grey"
    COLOUR = "colour"


def _bearable(glyph_px: float) -> float:
    """Share of a disturbance that glyphs of this height bear and stay readable, 0 to 1."""
    return min(1.0, max(0.2, glyph_px / _CLEAR_GLYPH_PX))


def rained(image: BgrImage, rng: Generator, *, strength: float) -> BgrImage:
    """Bright slanted streaks, drops and a little haze."""
    height, width = image.shape[:2]
    streaks = np.zeros((height, width), np.uint8)
    slant = rng.uniform(-0.35, 0.35)
    for _ in range(int(rng.integers(4, 10 + int(20 * strength)))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        length = int(height * rng.uniform(0.06, 0.3)) + 1
        end = (int(x + slant * length), y + length)
        cv2.line(streaks, (x, y), end, int(rng.integers(40, 130)), 1, cv2.LINE_AA)
    haze = float(rng.uniform(0, 0.35)) * strength
    wet = cv2.convertScaleAbs(image, alpha=1 - haze, beta=165 * haze)
    return np.asarray(cv2.add(wet, cv2.merge((streaks, streaks, streaks))), dtype=np.uint8)


def blurred(image: BgrImage, rng: Generator, *, strength: float, glyph_px: float) -> BgrImage:
    """Motion along a random line, then focus, in proportion to the glyphs' size."""
    result = image
    softness = _MAX_DEFOCUS_GLYPHS * strength * glyph_px
    if rng.random() < _MOTION_SHARE * strength:
        softness *= 0.5  # both at full strength leave nothing to read
        length = 1 + float(rng.uniform(0.1, 1)) * _MAX_MOTION_GLYPHS * strength * glyph_px
        result = _moved(result, length_px=length, angle=float(rng.uniform(0, np.pi)))
    sigma = float(rng.uniform(0, softness))
    if sigma > 0.3:  # noqa: PLR2004 -- below that nothing changes
        result = np.asarray(cv2.GaussianBlur(result, (0, 0), sigma), dtype=np.uint8)
    return result


def _moved(image: BgrImage, *, length_px: float, angle: float) -> BgrImage:
    """Smear along a line; the kernel's ends are soft, so that any length is possible."""
    size = 2 * int(np.ceil(length_px / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (length_px - 1) / 2
    start, end = (np.round((size // 2 + way * reach) * 16).astype(int).tolist() for way in (-1, 1))
    cv2.line(kernel, tuple(start), tuple(end), 1.0, 1, cv2.LINE_8, 4)
    kernel /= float(kernel.sum())
    return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


@lru_cache(maxsize=2)
def _noise_field(kind: _Noise) -> NDArray[np.float32]:
    """Standard normal noise that is never drawn again: pictures take cuts of it, for speed."""
    rng = np.random.default_rng(0)
    shape = (_NOISE_FIELD_PX, _NOISE_FIELD_PX, 3 if kind is _Noise.COLOUR else 1)
    field = rng.standard_normal(shape, dtype=np.float32)
    if kind is _Noise.GREY:
        field = np.repeat(field, 3, axis=2)
    field.flags.writeable = False
    return field


def noised(image: BgrImage, rng: Generator, *, strength: float, glyph_px: float) -> BgrImage:
    """Grey and colour noise, fine or in grains."""
    sigma = float(rng.uniform(0, _MAX_NOISE)) * strength * _bearable(2 * glyph_px)
    if sigma < 1:
        return image
    height, width = image.shape[:2]
    rows, columns = min(height, _NOISE_FIELD_PX), min(width, _NOISE_FIELD_PX)
    down, right, kind, grain = rng.random(4).tolist()
    top = int(down * (_NOISE_FIELD_PX - rows + 1))
    left = int(right * (_NOISE_FIELD_PX - columns + 1))
    whole = _noise_field(_Noise.GREY if kind < _EVEN_ODDS else _Noise.COLOUR)
    field = whole[top : top + rows, left : left + columns]
    if grain < _GRAINY_SHARE:
        field = np.asarray(cv2.GaussianBlur(field, (3, 3), 0.8), np.float32)
        sigma *= 1.8
    if (rows, columns) != (height, width):
        field = np.asarray(cv2.resize(field, (width, height)), np.float32)
    return np.asarray(cv2.addWeighted(image, 1, field, sigma, 0, dtype=cv2.CV_8U), dtype=np.uint8)


def recorded(image: BgrImage, rng: Generator, *, strength: float, glyph_px: float) -> BgrImage:
    """Resolution, sharpening, video and JPEG as cameras and phones apply them.

    Args:
        image: Any picture; it is not changed.
        rng: Source of randomness.
        strength: 0 changes nothing.
        glyph_px: About the height of the glyphs; smaller ones are spared more.
    """
    if strength == 0:
        return image
    result = image
    if rng.random() < _LOW_RESOLUTION_SHARE * strength and glyph_px > 1.3 * _MIN_GLYPH_PX:
        result = _enlarged(result, rng, smallest=_MIN_GLYPH_PX / glyph_px)
    if rng.random() < _SHARPENED_SHARE * strength:
        sigma = float(rng.uniform(0.7, 0.9 + 0.05 * glyph_px))
        amount = float(rng.uniform(0.3, 2.2))
        soft = cv2.GaussianBlur(result, (0, 0), sigma)
        result = np.asarray(cv2.addWeighted(result, 1 + amount, soft, -amount, 0), dtype=np.uint8)
    if rng.random() < _VIDEO_SHARE * strength:
        result = _filmed(result, rng, strength=strength, glyph_px=glyph_px)
    if rng.random() < 0.2 + 0.6 * strength:
        best, worst = _JPEG_QUALITY[1], _JPEG_QUALITY[0]
        loss = (best - worst) * strength * float(rng.random()) * _bearable(1.5 * glyph_px)
        result = _jpeg(result, round(best - loss))
    return result


def _jpeg(image: BgrImage, quality: int) -> BgrImage:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _enlarged(image: BgrImage, rng: Generator, *, smallest: float) -> BgrImage:
    """An old camera's resolution: down and up again, now and then with hard pixels."""
    height, width = image.shape[:2]
    factor = float(rng.uniform(max(0.3, smallest), 0.95))
    small = (max(8, round(width * factor)), max(6, round(height * factor)))
    down = cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR  # noqa: PLR2004 -- share
    up = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)[
        int(rng.choice(3, p=(0.45, 0.45, 0.1)))
    ]
    result = cv2.resize(image, small, interpolation=down)
    return np.asarray(cv2.resize(result, (width, height), interpolation=up), dtype=np.uint8)


def _filmed(image: BgrImage, rng: Generator, *, strength: float, glyph_px: float) -> BgrImage:
    """A low bit rate: colours bleed, blocks show, lines of two fields part."""
    height, width = image.shape[:2]
    luma, red, blue = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb))
    factor = int(rng.integers(2, 6))
    small = (max(1, width // factor), max(1, height // factor))
    size = (width, height)
    red, blue = (
        cv2.resize(cv2.resize(c, small, interpolation=cv2.INTER_AREA), size) for c in (red, blue)
    )
    if rng.random() < 0.2:  # noqa: PLR2004 -- share of interlaced cameras
        luma = luma.copy()
        shift = max(1, round(float(rng.uniform(0, 0.07)) * glyph_px))
        luma[1::2, shift:] = luma[1::2, :-shift].copy()
    result = cv2.cvtColor(cv2.merge((luma, red, blue)), cv2.COLOR_YCrCb2BGR)
    worst, best = _VIDEO_QUALITY
    quality = best - (best - worst) * strength * float(rng.random()) * _bearable(glyph_px)
    # The blocks of a video lie anywhere over the crop, not at its corner.
    top, left = (int(v) for v in rng.integers(_BLOCK_PX, size=2))
    padded = cv2.copyMakeBorder(result, top, 0, left, 0, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(
        _jpeg(np.asarray(padded, dtype=np.uint8), round(quality))[top:, left:]
    )
