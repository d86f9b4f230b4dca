# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands around a plate and before it: bumper, frame of a dealer, bars, cables."""

from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.photo.viewpoint import View
from models.runtime.values import BgrImage

_EVEN_ODDS: Final = 0.5
_FRAME_SHARE: Final = 0.22
_LETTERED_SHARE: Final = 0.45
_RIDGED_SHARE: Final = 0.15
_HIDDEN_SHARE: Final = 0.4
_MAX_HIDDEN: Final = 0.07
_LETTERS: Final = np.array(list("ABCDEGHIKLMNOPQRSTUVXY0123456789- "))
_FONTS: Final = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_TRIPLEX,
)


def filled(picture: BgrImage, *, height_px: int, width_px: int) -> BgrImage:
    """The middle of a picture, scaled until it fills a size; always a copy."""
    ratio = max(height_px / picture.shape[0], width_px / picture.shape[1])
    cut_height = min(picture.shape[0], max(1, round(height_px / ratio)))
    cut_width = min(picture.shape[1], max(1, round(width_px / ratio)))
    top, left = (picture.shape[0] - cut_height) // 2, (picture.shape[1] - cut_width) // 2
    cut = picture[top : top + cut_height, left : left + cut_width]
    mode = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(cut, (width_px, height_px), interpolation=mode)
    return np.array(resized, dtype=np.uint8)


def random_surroundings(rng: Generator, *, height_px: int, width_px: int) -> BgrImage:
    """A bumper in a car's colour or dark plastic, with shadows, lamps and bars."""
    rows, columns = int(rng.integers(2, 6)), int(rng.integers(2, 6))
    paint = rng.integers(0, 256, 3) if rng.random() < _EVEN_ODDS else np.full(3, rng.integers(256))
    light = rng.uniform(0.15, 1.0, (rows, columns, 1))
    tint = rng.normal(0, 14, (rows, columns, 3))
    coarse = np.clip(paint * light + tint, 0, 255).astype(np.uint8)
    mode = cv2.INTER_LINEAR if rng.random() < 0.6 else cv2.INTER_NEAREST  # noqa: PLR2004 -- share
    ground = np.asarray(cv2.resize(coarse, (width_px, height_px), interpolation=mode), np.uint8)
    for _ in range(int(4 * rng.random())):
        shade = [int(v) for v in rng.integers(0, 256) * rng.uniform(0.7, 1.0, 3)]
        x, y = int(rng.uniform(0, width_px)), int(rng.uniform(0, height_px))
        kind = int(rng.integers(3))
        if kind == 0:
            end = (width_px, y + int(rng.normal(0, 0.1 * height_px)))
            cv2.line(ground, (0, y), end, shade, int(rng.integers(1, 2 + height_px // 12)))
        elif kind == 1:
            lamp = (
                int(rng.integers(0, 60)),
                int(rng.integers(0, 120)),
                int(rng.integers(120, 256)),
            )
            cv2.circle(ground, (x, y), 1 + height_px // int(rng.integers(3, 12)), lamp, -1)
        else:
            size = (x + width_px // 4, y + height_px // 5)
            cv2.rectangle(ground, (x, y), size, shade, -1)
    return ground


def framed(plate: BgrImage, rng: Generator, *, strength: float) -> tuple[BgrImage, int]:
    """Put some plates into a dealer's frame.

    Args:
        plate: Frontal plate.
        rng: Source of randomness.
        strength: 0 never frames, at 1 about every fifth plate is framed.

    Returns:
        The sheet with a rim, and the rim's width in pixels; the plate and 0 without a frame.
    """
    if rng.random() >= _FRAME_SHARE * min(1.0, 2 * strength):
        return plate, 0
    height, width = plate.shape[:2]
    pad = max(1, round(min(height, width / 2) * float(rng.uniform(0.03, 0.2))))
    is_chrome = rng.random() < 0.3  # noqa: PLR2004 -- share of bright frames
    shade = float(rng.uniform(120, 230) if is_chrome else rng.uniform(5, 70))
    colour = [float(v) for v in shade + rng.normal(0, 8, 3)]
    wider = cv2.copyMakeBorder(plate, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=colour)
    sheet = np.asarray(wider, dtype=np.uint8)
    overlap = round(pad * float(rng.uniform(0, 0.3)))
    if overlap > 0:  # the rim bites into the plate
        inner = (pad - overlap // 2, pad - overlap // 2)
        outer = (width + pad + overlap // 2, height + pad + overlap // 2)
        cv2.rectangle(sheet, inner, outer, colour, overlap)
    if is_chrome:
        sheet[: max(1, pad // 3)] = 245
    if rng.random() < _RIDGED_SHARE:  # twisted chrome, sold for motorbikes
        pitch = max(2, round(pad * float(rng.uniform(0.4, 1.0))))
        for rim in (sheet[:pad], sheet[-pad:]):
            rim[:, ::pitch] = rim[:, 1::pitch][:, :1] // 3
        for rim in (sheet[:, :pad], sheet[:, -pad:]):
            rim[::pitch] = 235
    elif rng.random() < _LETTERED_SHARE:
        _letter(sheet, rng, pad)
    return sheet, pad


def _letter(sheet: BgrImage, rng: Generator, pad: int) -> None:
    """The dealer's name along the lower or the upper rim."""
    text = "".join(_LETTERS[rng.integers(len(_LETTERS), size=int(rng.integers(4, 16)))])
    font = _FONTS[int(rng.integers(len(_FONTS)))]
    scale = 0.75 * pad / 22
    (text_width, text_height), _ = cv2.getTextSize(text, font, scale, 1)
    x = (sheet.shape[1] - text_width) // 2
    at_top = rng.random() < 0.25  # noqa: PLR2004 -- most names stand below
    y = (pad + text_height) // 2 if at_top else sheet.shape[0] - (pad - text_height) // 2
    colour = [int(v) for v in rng.integers(0, 256, 3)]
    cv2.putText(sheet, text, (x, y), font, scale, colour, 1, cv2.LINE_AA)


def hide_parts(image: BgrImage, view: View, rng: Generator, *, strength: float) -> None:
    """Let a bumper's edge, a bar or a cable cover a little of the plate, in place."""
    if rng.random() >= _HIDDEN_SHARE * strength:
        return
    corners = view.corners_px
    shade = [int(v) for v in rng.integers(0, 200) * rng.uniform(0.7, 1.0, 3)]
    if rng.random() < 0.6:  # noqa: PLR2004 -- most things that hide stand at an edge
        edge = int(rng.integers(4))
        near = [corners[edge], corners[(edge + 1) % 4]]
        far = [corners[(edge + 2) % 4], corners[(edge + 3) % 4]]
        depths = rng.uniform(0, _MAX_HIDDEN, 2) * (1.0 if edge % 2 == 0 else 0.6)
        inner = [near[1] + (far[0] - near[1]) * depths[0], near[0] + (far[1] - near[0]) * depths[1]]
        outer = [near[0] - (far[1] - near[0]), near[1] - (far[0] - near[1])]
        along = near[1] - near[0]
        outline = [outer[0] - along, outer[1] + along, inner[0] + along, inner[1] - along]
        points = np.array(outline).round().astype(np.int32)
        cv2.fillConvexPoly(image, points, shade, cv2.LINE_AA)
        return
    start, end = corners[0] + (corners[3] - corners[0]) * rng.uniform(-0.2, 1.2), corners[1]
    end = end + (corners[2] - corners[1]) * rng.uniform(-0.2, 1.2)
    if rng.random() < 0.4:  # noqa: PLR2004 -- share of upright bars
        start = corners[0] + (corners[1] - corners[0]) * rng.uniform(0, 1)
        end = corners[3] + (corners[2] - corners[3]) * rng.uniform(0, 1)
    beyond = (end - start) * 0.4
    first, last = (start - beyond).round().astype(int), (end + beyond).round().astype(int)
    thickness = max(1, round(view.glyph_px * float(rng.uniform(0.02, 0.1))))
    cv2.line(image, tuple(first.tolist()), tuple(last.tolist()), shade, thickness, cv2.LINE_AA)
