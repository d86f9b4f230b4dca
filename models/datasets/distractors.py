# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a detector confuses with plates: lettering, stickers with numbers, makers' names, lamps."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.decoys.objects import OBJECT_MAKERS
from models.runtime.values import BgrImage

_Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]

MAX_DISTRACTORS: Final = 4
PICTURES_WITH_DISTRACTORS: Final = 0.55
_OBJECT_SHARE: Final = 0.5
_LAMP_SHARE: Final = 0.25
_PANEL_SHARE: Final = 0.6
_MIN_WIDTH_PX: Final = 14
_WORDS: Final = (
    "HONDA", "YAMAHA", "SUZUKI", "TOYOTA", "PIAGGIO", "HYUNDAI", "KIA", "FORD", "MAZDA", "ISUZU",
    "TAXI", "HOTEL", "CAFE", "COM TAM", "SUA XE", "RUA XE", "KHACH SAN", "XE TAI", "VAN TAI",
    "HOTLINE", "DIESEL", "TURBO", "GRANDE", "LEAD", "VISION", "WAVE", "AIR BLADE", "SALE", "ATM",
)  # fmt: skip
_FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
)


def add_distractors(image: BgrImage, *, taken: Sequence[_Bounds], rng: Generator) -> None:
    """Paint some things that are no plates into a picture, in place.

    Args:
        image: Picture, changed.
        taken: Low and high corners of plates, which stay free.
        rng: Decides how many, what and where.
    """
    if rng.random() > PICTURES_WITH_DISTRACTORS:
        return
    for _ in range(int(rng.integers(1, MAX_DISTRACTORS + 1))):
        height, width = image.shape[:2]
        centre = rng.uniform(0.05, 0.95, 2) * np.array([width, height])
        if rng.random() < _LAMP_SHARE:
            _lamp(image, centre, taken, rng)
        else:
            _lettering(image, centre, taken, rng)


def _lettering(
    image: BgrImage, centre: NDArray[np.float64], taken: Sequence[_Bounds], rng: Generator
) -> None:
    patch = _object(rng) if rng.random() < _OBJECT_SHARE else _written(rng)
    wanted_px = max(_MIN_WIDTH_PX, image.shape[1] * float(np.exp(rng.uniform(-3.2, -1.2))))
    ratio = wanted_px / patch.shape[1]
    half = np.array([patch.shape[1], patch.shape[0]]) * ratio / 2
    angle = float(rng.normal(0, 8))
    if _is_taken(centre, half * 1.3, taken):
        return
    reach = float(np.hypot(*half)) + 2
    view = _window(image, centre, reach)
    part = image[view]
    matrix = cv2.getRotationMatrix2D((patch.shape[1] / 2, patch.shape[0] / 2), angle, ratio)
    corner = np.array([view[1].start, view[0].start])
    matrix[:, 2] += centre - corner - np.array([patch.shape[1], patch.shape[0]]) / 2
    size = (part.shape[1], part.shape[0])
    cover = cv2.warpAffine(patch[..., 3], matrix, size, flags=cv2.INTER_AREA) / np.float32(255)
    laid = cv2.warpAffine(patch[..., :3], matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = cover[..., None] * np.float32(rng.uniform(0.6, 1.0))
    part[:] = (part * (1 - cover) + laid * cover).astype(np.uint8)


def _object(rng: Generator) -> BgrImage:
    """A sticker, sign, lamp or label, opaque; shape ``(height, width, 4)``."""
    shares = np.array([share for _, share in OBJECT_MAKERS])
    make = OBJECT_MAKERS[int(rng.choice(len(shares), p=shares / shares.sum()))][0]
    thing = make(rng)
    opaque = np.full((*thing.shape[:2], 1), 255, np.uint8)
    return np.concatenate((thing, opaque), axis=2)


def _written(rng: Generator) -> BgrImage:
    """Words or a telephone number, shape ``(height, width, 4)`` with opacity last."""
    words = str(_WORDS[int(rng.integers(len(_WORDS)))])
    if rng.random() < 0.4:  # noqa: PLR2004 -- share of telephone numbers
        digits = "".join(str(digit) for digit in rng.integers(0, 10, 10))
        words = f"0{digits[:3]}.{digits[3:6]}.{digits[6:]}"
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    thickness = int(rng.integers(1, 5))
    (width, height), base = cv2.getTextSize(words, font, 1.5, thickness)
    margin = int(rng.integers(4, 24))
    patch = np.zeros((height + base + 2 * margin, width + 2 * margin, 4), np.uint8)
    ink = [int(value) for value in rng.integers(0, 256, 3)]
    if rng.random() < _PANEL_SHARE:
        paper = [int(value) for value in rng.integers(0, 256, 3)]
        patch[:] = (*paper, 255)
    else:
        patch[..., :3] = ink
    origin = (margin, margin + height)
    cv2.putText(patch, words, origin, font, 1.5, (*ink, 255), thickness, cv2.LINE_AA)
    return patch


def _lamp(
    image: BgrImage, centre: NDArray[np.float64], taken: Sequence[_Bounds], rng: Generator
) -> None:
    """A lit lamp with its bloom."""
    width = image.shape[1]
    radius = width * float(np.exp(rng.uniform(-4.5, -2.7)))
    if _is_taken(centre, np.array([radius, radius]) * 2, taken):
        return
    view = _window(image, centre, 4 * radius)
    part = image[view]
    columns = np.arange(view[1].start, view[1].stop, dtype=np.float32)
    rows = np.arange(view[0].start, view[0].stop, dtype=np.float32)
    dx = (columns - centre[0]) / radius
    dy = (rows - centre[1]) / (radius * rng.uniform(0.5, 1.0))
    squared = dx[None, :] ** 2 + dy[:, None] ** 2
    glow = np.exp(-squared / 3) * 70 + np.exp(-(squared**3)) * 200
    tint = np.array([[0.9, 1.0, 1.0], [0.2, 0.2, 1.0], [0.3, 0.7, 1.0]])[int(rng.integers(3))]
    lit = part + glow[..., None] * tint.astype(np.float32)
    part[:] = np.clip(lit, 0, 255).astype(np.uint8)


def _window(image: BgrImage, centre: NDArray[np.float64], reach: float) -> tuple[slice, slice]:
    """Rows and columns around a point inside a picture."""
    low = np.maximum(0, centre - reach).astype(int)
    high = np.minimum([image.shape[1], image.shape[0]], centre + reach + 1).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _is_taken(
    centre: NDArray[np.float64], half: NDArray[np.float64], taken: Sequence[_Bounds]
) -> bool:
    low, high = centre - half, centre + half
    return any(bool((low < one[1]).all() and (one[0] < high).all()) for one in taken)
