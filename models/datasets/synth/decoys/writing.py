# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lines of writing in any hand, and made-up signs of scripts that Vietnamese plates don't use."""

from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.press.glyphs import GLYPHS, GlyphCell, pressed_glyph
from models.datasets.synth.press.strokes import GrayMask
from models.datasets.synth.press.workshops import workshops
from models.runtime.values import BgrImage

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS: Final = "0123456789"
_FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SIMPLEX | cv2.FONT_ITALIC,
)
_CAP_PX: Final = 21.0
"""Height of a capital of OpenCV's fonts at scale 1."""

_STROKE_SHARES: Final = (0.13, 0.16, 0.19)
_WIDTH_SHARES: Final = (0.4, 0.5, 0.6, 0.75)
_MARGIN_PX: Final = 3


class Script(StrEnum):
    """Scripts of the neighbours' plates, imitated by strokes."""

    HAN = "h"
    THAI = "t"
    KHMER = "k"


def filled_in(pattern: str, rng: Generator) -> str:
    """A text by a pattern: ``A`` becomes a letter, ``9`` a digit, all else stays."""
    letters, digits = rng.integers(26, size=len(pattern)), rng.integers(10, size=len(pattern))
    return "".join(
        LETTERS[letter] if sign == "A" else DIGITS[digit] if sign == "9" else sign
        for sign, letter, digit in zip(pattern, letters, digits, strict=True)
    )


def line_mask(text: str, rng: Generator, *, height_px: int) -> GrayMask:
    """Ink of a line of writing, in a plate's punches or in a font.

    Args:
        text: Letters, digits and signs; lower case ``h``, ``t`` and ``k`` are made-up
            signs of ``Script``.
        rng: Draws the hand.
        height_px: Height of a capital, at least 4.

    Returns:
        Coverage 0 to 255, ``height_px`` rows and as many columns as the line needs.
    """
    is_pressed = rng.random() < 0.6  # noqa: PLR2004 -- share of pressed writing
    if not is_pressed and not set(text) & set(Script):
        return _typed(text, rng, height_px=height_px)
    workshop = workshops()[int(rng.integers(len(workshops())))]
    width_share = _WIDTH_SHARES[int(rng.integers(len(_WIDTH_SHARES)))]
    stroke_share = min(_STROKE_SHARES[int(rng.integers(3))], 0.42 * width_share)
    cell = GlyphCell(width_mm=60 * width_share, height_mm=60, stroke_mm=60 * stroke_share)
    width_px = max(2, round(height_px * width_share))
    gap = np.zeros((height_px, max(1, round(height_px * float(rng.uniform(0.06, 0.2))))), np.uint8)
    parts: list[GrayMask] = []
    for sign in text:
        if sign in GLYPHS:
            size = {"height_px": height_px, "width_px": width_px}
            parts.append(pressed_glyph(sign, cell, style=workshop.style, **size))
        elif sign in set(Script):
            parts.append(_made_up(Script(sign), rng, height_px=height_px))
        else:
            parts.append(_mark(sign, height_px))
        parts.append(gap)
    return np.hstack(parts)


def _typed(text: str, rng: Generator, *, height_px: int) -> GrayMask:
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    scale = height_px / _CAP_PX
    thickness = max(1, round(height_px * float(rng.uniform(0.05, 0.2))))
    (width, height), _ = cv2.getTextSize(text, font, scale, thickness)
    canvas = np.zeros((height + thickness, width + thickness), np.uint8)
    at = (thickness // 2, height + thickness // 2)
    cv2.putText(canvas, text, at, font, scale, 255, thickness, cv2.LINE_AA)
    return canvas


def _mark(sign: str, height_px: int) -> GrayMask:
    """A dash, a dot or a gap."""
    size = max(1, height_px // 7)
    mask = np.zeros((height_px, 2 * size), np.uint8)
    if sign == "-":
        middle = (height_px - size) // 2
        mask[middle : middle + size] = 255
    elif sign in ".:":
        mask[-size:, : size + size // 2] = 255
    elif sign == "*":
        cv2.circle(mask, (size, height_px // 2), max(1, size // 2), 255, -1, cv2.LINE_AA)
    return mask


def _made_up(script: Script, rng: Generator, *, height_px: int) -> GrayMask:
    """A sign that looks like one of a script from afar."""
    side = 64
    canvas = np.zeros((side, side if script is Script.HAN else side * 3 // 4), np.uint8)
    width = canvas.shape[1]
    thickness = int(rng.integers(4, 8))
    if script is Script.HAN:
        _brush(canvas, rng, thickness)
    else:
        _loop(canvas, rng, thickness, stems=2 if script is Script.THAI else 3)
    ratio = height_px / side
    size = (max(2, round(width * ratio)), height_px)
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _brush(canvas: GrayMask, rng: Generator, thickness: int) -> None:
    """Beams and posts, as in Han characters."""
    side = canvas.shape[0]
    for y in np.linspace(8, side - 8, int(rng.integers(3, 6))).astype(int).tolist():
        start, end = int(rng.integers(4, 24)), int(rng.integers(40, 60))
        cv2.line(canvas, (start, y), (end, y), 255, thickness)
    for x in rng.integers(10, 54, size=int(rng.integers(1, 4))).tolist():
        start, end = int(rng.integers(2, 30)), int(rng.integers(34, 62))
        cv2.line(canvas, (x, start), (x, end), 255, thickness)
    slope = int(rng.integers(10, 30))
    cv2.line(canvas, (32, 30), (32 - slope, 62), 255, thickness)
    cv2.line(canvas, (32, 30), (32 + slope, 62), 255, thickness)


def _loop(canvas: GrayMask, rng: Generator, thickness: int, *, stems: int) -> None:
    """Stems, bows and knobs, as in the scripts of Thailand, Laos and Cambodia."""
    side, width = canvas.shape[:2]
    columns = np.linspace(8, width - 8, stems).astype(int).tolist()
    top = int(rng.integers(8, 24))
    for x in columns:
        cv2.line(canvas, (x, top), (x, side - 6), 255, thickness)
    bow = columns[int(rng.integers(stems - 1))]
    radius = (columns[1] - columns[0]) // 2
    cv2.ellipse(canvas, (bow + radius, top), (radius, 8), 0, 180, 360, 255, thickness)
    knob = (columns[0] + 5, int(rng.choice((top + 4, side - 12))))
    cv2.circle(canvas, knob, 6, 255, max(2, thickness // 2))
    if rng.random() < 0.5:  # noqa: PLR2004 -- half of the signs carry a mark
        cv2.line(canvas, (columns[0], 4), (width - 6, int(rng.integers(2, 9))), 255, 4)


def write(
    image: BgrImage,
    text: str,
    rng: Generator,
    *,
    box_px: tuple[int, int, int, int],
    colour: tuple[int, int, int],
) -> None:
    """Write a line into the middle of a box of a picture, in place, squeezed if it is too long.

    Args:
        image: Picture to write on.
        text: See ``line_mask``.
        rng: Draws the hand.
        box_px: Left, top, width and height; the height is that of a capital.
        colour: Blue, green and red.
    """
    left, top, width, height = box_px
    if min(width, height) < _MARGIN_PX:
        return
    mask = line_mask(text, rng, height_px=height)
    if mask.shape[1] > width or mask.shape[0] > height:
        size = (min(width, mask.shape[1]), height)
        mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA), np.uint8)
    left += (width - mask.shape[1]) // 2
    part = image[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = (mask[: part.shape[0], : part.shape[1]].astype(np.float32) / 255)[..., None]
    part[:] = (part + (np.array(colour, np.float32) - part) * cover).astype(np.uint8)
