# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sheet of a plate: glyph rows, dash, dot, police mark, border, screws, frame."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.glyphs import (
    BARE_ONE,
    CAR_CELL,
    MOTORBIKE_CELL,
    GlyphCell,
    GrayMask,
    glyph_mask,
)
from models.runtime.values import BgrImage, PlateColour

_Bgr = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Geometry of one kind of plate; lengths in millimetres."""

    width_mm: float
    height_mm: float
    cell: GlyphCell
    row_gaps_mm: tuple[float, ...]
    dash_mm: tuple[float, float]
    dot_mm: float
    corner_mm: float = 8.0
    border_mm: float = 3.0


_LONG: Final = Face(
    width_mm=520, height_mm=110, cell=CAR_CELL, row_gaps_mm=(10.0,), dash_mm=(14, 10), dot_mm=10
)
_SHORT: Final = Face(
    width_mm=330, height_mm=165, cell=CAR_CELL, row_gaps_mm=(10.0, 10.0), dash_mm=(14, 10),
    dot_mm=10,
)  # fmt: skip
_MOTORBIKE: Final = Face(
    width_mm=190, height_mm=140, cell=MOTORBIKE_CELL, row_gaps_mm=(5.0, 10.0), dash_mm=(12, 7),
    dot_mm=7,
)  # fmt: skip
_OLD_GLYPH: Final = GlyphCell(width_mm=38, height_mm=76, stroke_mm=10.5)
ONE_LINE_FACES: Final = (
    _LONG,
    replace(_LONG, width_mm=470),
    replace(_LONG, width_mm=470, cell=GlyphCell(width_mm=39, height_mm=72, stroke_mm=10)),
)
TWO_LINE_FACES: Final = (
    _SHORT,
    replace(_SHORT, width_mm=280, height_mm=200, cell=_OLD_GLYPH),
    replace(_SHORT, width_mm=300, height_mm=165),
)
MOTORBIKE_FACES: Final = (
    _MOTORBIKE,
    replace(_MOTORBIKE, row_gaps_mm=(7.0, 9.0)),
    replace(_MOTORBIKE, cell=GlyphCell(width_mm=24, height_mm=52, stroke_mm=6.5)),
)

_COLOURS: Final[Mapping[PlateColour, tuple[_Bgr, _Bgr]]] = MappingProxyType(
    {
        PlateColour.WHITE: ((236, 238, 238), (28, 26, 26)),
        PlateColour.YELLOW: ((30, 190, 245), (26, 26, 28)),
        PlateColour.BLUE: ((150, 75, 20), (240, 240, 240)),
        PlateColour.RED: ((35, 30, 190), (240, 240, 240)),
        PlateColour.UNKNOWN: ((180, 180, 180), (40, 40, 40)),
    }
)
_RED_INK: Final[_Bgr] = (40, 35, 200)
_RED_SERIES: Final = ("NG", "QT")
_SIDE_MARGIN_MM: Final = 7.0
_TWO_ROWS: Final = 2
_WIDE_ROW_GAP_MM: Final = 18.0
_SHORT_ROW_GLYPHS: Final = 4
_RESOLUTIONS_PX_PER_MM: Final = (0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0)
_STEPS: Final = (0.92, 1.0, 1.08)
_STROKE_STEPS: Final = (0.72, 0.82, 0.92, 1.0, 1.08)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """Masks under construction; ``px_per_mm`` fits both directions."""

    ink: GrayMask
    red: GrayMask
    px_per_mm: float


def _varied(face: Face, rng: Generator) -> Face:
    """A face with glyphs as thick and as wide as another workshop presses them."""
    cell = face.cell
    factors = rng.choice(_STEPS, 2)
    stroke = cell.stroke_mm * float(rng.choice(_STROKE_STEPS))
    shift = float(rng.uniform(0.85, 1.25))
    return replace(
        face,
        cell=GlyphCell(
            width_mm=cell.width_mm * float(factors[0]),
            height_mm=cell.height_mm * float(factors[1]),
            stroke_mm=stroke,
        ),
        row_gaps_mm=tuple(gap * shift for gap in face.row_gaps_mm),
        corner_mm=float(rng.uniform(3, 14)),
        border_mm=float(rng.choice([0.0, 2.0, 3.0, 4.0])),
    )


def _advance_mm(symbol: str, face: Face) -> float:
    if symbol == "-":
        return face.dash_mm[0]
    return face.dot_mm if symbol == "." else face.cell.width_mm


def _row_fit(line: str, face: Face, gap_mm: float) -> tuple[float, float]:
    """Gap and horizontal squeeze with which a line fits between the margins."""
    advance = sum(_advance_mm(symbol, face) for symbol in line)
    room = face.width_mm - 2 * _SIDE_MARGIN_MM
    steps = max(1, len(line) - 1)
    if advance + steps * gap_mm <= room:
        return gap_mm, 1.0
    gap_mm = max(gap_mm * 0.5, min(gap_mm, (room - advance) / steps))
    return gap_mm, min(1.0, (room - steps * gap_mm) / advance)


def _paste(target: GrayMask, mask: GrayMask, *, x_px: int, y_px: int) -> None:
    """Lay a mask over another, keeping the darker ink, clipped to the sheet."""
    height, width = target.shape
    x0, y0 = max(0, x_px), max(0, y_px)
    x1, y1 = min(width, x_px + mask.shape[1]), min(height, y_px + mask.shape[0])
    if x1 > x0 and y1 > y0:
        part = target[y0:y1, x0:x1]
        np.maximum(part, mask[y0 - y_px : y1 - y_px, x0 - x_px : x1 - x_px], out=part)


def _symbol_mask(symbol: str, face: Face, cell: GlyphCell, px_per_mm: float) -> GrayMask:
    if symbol == "-":
        size = face.dash_mm[0] * cell.width_mm / face.cell.width_mm, face.dash_mm[1]
    elif symbol == ".":
        size = face.dot_mm, face.dot_mm
    else:
        return glyph_mask(symbol, cell, px_per_mm)
    return np.full(
        (max(1, round(size[1] * px_per_mm)), max(1, round(size[0] * px_per_mm))), 255, np.uint8
    )


def _symbol_top_mm(symbol: str, face: Face, top_mm: float) -> float:
    if symbol == "-":
        return top_mm + (face.cell.height_mm - face.dash_mm[1]) / 2
    return top_mm + face.cell.height_mm - face.dot_mm if symbol == "." else top_mm


def _draw_row(sheet: _Sheet, line: str, face: Face, *, top_mm: float, gap_mm: float) -> None:
    """Draw one centred line of glyphs with its dash and dot."""
    gap_mm, squeeze = _row_fit(line, face, gap_mm)
    width = round(face.cell.width_mm * squeeze, 1)
    stroke = min(face.cell.stroke_mm, 0.45 * width)
    cell = replace(face.cell, width_mm=width, stroke_mm=stroke)
    advances = [_advance_mm(symbol, face) * squeeze for symbol in line]
    x_mm = (face.width_mm - sum(advances) - gap_mm * (len(line) - 1)) / 2
    for index, (symbol, advance) in enumerate(zip(line, advances, strict=True)):
        pair_is_red = any(line[max(0, index - k) :][:2] in _RED_SERIES for k in (0, 1))
        _paste(
            sheet.red if pair_is_red and symbol.isalpha() else sheet.ink,
            _symbol_mask(symbol, face, cell, sheet.px_per_mm),
            x_px=round(x_mm * sheet.px_per_mm),
            y_px=round(_symbol_top_mm(symbol, face, top_mm) * sheet.px_per_mm),
        )
        x_mm += advance + gap_mm


def _row_gap_mm(line: str, face: Face, row: int, rng: Generator | None) -> float:
    """Gap of a row; old motorbike plates spread four digits over the whole width."""
    gap = face.row_gaps_mm[row]
    if rng is None or row == 0 or len(line) != _SHORT_ROW_GLYPHS or "-" in line:
        return gap
    return float(rng.uniform(gap, max(gap, _WIDE_ROW_GAP_MM)))


def _draw_rows(sheet: _Sheet, lines: tuple[str, ...], face: Face, rng: Generator | None) -> None:
    height = face.cell.height_mm
    if len(lines) == _TWO_ROWS:
        free = max(0.0, face.height_mm - 2 * height)
        tops = [free * 0.32, free * 0.68 + height]
    else:
        tops = [(face.height_mm - height) / 2]
    for row, (line, top_mm) in enumerate(zip(lines, tops, strict=True)):
        gap_mm = _row_gap_mm(line, face, row, rng)
        _draw_row(sheet, line, face, top_mm=top_mm, gap_mm=gap_mm)


def _painted(sheet: _Sheet, colour: PlateColour, rng: Generator | None) -> BgrImage:
    """Turn ink coverage into colours."""
    ground, ink = (np.array(value, np.float32) for value in _COLOURS[colour])
    red = np.array(_RED_INK, np.float32)
    if rng is not None:
        ground = (ground * rng.uniform(0.78, 1.06) + rng.normal(0, 5, 3)).astype(np.float32)
        ink = (ink + rng.uniform(-15, 45) + rng.normal(0, 4, 3)).astype(np.float32)
        red = (red + rng.normal(0, 18, 3)).astype(np.float32)
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    table = np.clip(ground + (ink - ground) * ramp, 0, 255).astype(np.uint8)
    image: BgrImage = table[sheet.ink]
    if sheet.red.any():
        red_table = np.clip(ground + (red - ground) * ramp, 0, 255).astype(np.uint8)
        image = np.where(sheet.red[..., None] > 0, red_table[sheet.red], image)
    return image


def _emboss(image: BgrImage, ink: GrayMask, rng: Generator) -> BgrImage:
    """Light and shadow along pressed edges."""
    dx, dy = (int(value) for value in rng.integers(-1, 2, 2))
    relief = ink.astype(np.int16) - np.roll(ink, (dy, dx), (0, 1)).astype(np.int16)
    lit = image + (relief * rng.uniform(0.05, 0.3))[..., None]
    return np.clip(lit, 0, 255).astype(np.uint8)


def _draw_border(image: BgrImage, face: Face, colour: PlateColour, px_per_mm: float) -> None:
    """The pressed line along the edge, in the colour of the text, and rounded corners."""
    height, width = image.shape[:2]
    thickness = round(face.border_mm * px_per_mm)
    if thickness > 0:
        inset = thickness + round(1.5 * px_per_mm)
        ink = tuple(0.45 * a + 0.55 * b for a, b in zip(*_COLOURS[colour], strict=True))
        cv2.rectangle(image, (inset, inset), (width - 1 - inset, height - 1 - inset), ink,
                      thickness, cv2.LINE_AA)  # fmt: skip
    radius = max(1, round(face.corner_mm * px_per_mm))
    corner = np.hypot(*np.mgrid[0:radius, 0:radius][::-1] - radius + 0.5) > radius
    for patch in (
        image[:radius, :radius], image[:radius, ::-1][:, :radius],
        image[::-1][:radius, :radius], image[::-1, ::-1][:radius, :radius],
    ):  # fmt: skip
        patch[corner[: patch.shape[0], : patch.shape[1]]] = 45


def _draw_details(
    image: BgrImage, lines: tuple[str, ...], face: Face, *, px_per_mm: float, rng: Generator
) -> None:
    """Police mark, screws and a sticker, each on some plates."""
    height, width = image.shape[:2]
    shade = int(rng.integers(90, 215))
    if rng.random() < 0.6:  # noqa: PLR2004 -- share of plates with a visible mark
        x_mm = face.width_mm * (0.5 if len(lines) == _TWO_ROWS and "-" in lines[0] else 0.36)
        y_mm = 12.0 if "-" in lines[0] else face.height_mm / 2
        x_mm = x_mm if "-" in lines[0] else 9.0
        centre = (round(x_mm * px_per_mm), round(y_mm * px_per_mm))
        cv2.circle(image, centre, max(1, round(4 * px_per_mm)), (shade,) * 3, 1, cv2.LINE_AA)
    if rng.random() < 0.4:  # noqa: PLR2004 -- share of plates with visible screws
        radius = max(1, round(float(rng.uniform(2, 5)) * px_per_mm))
        y = round(height * float(rng.choice([0.08, 0.5, 0.92])))
        for x in (round(0.22 * width), round(0.78 * width)):
            cv2.circle(image, (x, y), radius, (int(rng.integers(20, 235)),) * 3, -1, cv2.LINE_AA)


def draw_face(
    face: Face,
    *,
    lines: tuple[str, ...],
    colour: PlateColour,
    height_px: int,
    has_bare_ones: bool,
    rng: Generator | None,
) -> BgrImage:
    """Draw a plate's sheet.

    Args:
        face: Geometry.
        lines: One or two lines of glyphs, ``-`` and ``.``.
        colour: Background; the ink follows from it.
        height_px: Height of the result in pixels.
        has_bare_ones: Draw the digit 1 without its flag, as on military plates.
        rng: Varies what varies between workshops; ``None`` draws the law.

    Returns:
        Picture of ``height_px`` rows with the face's aspect ratio.
    """
    shape = face if rng is None else _varied(face, rng)
    wanted = height_px / shape.height_mm
    px_per_mm = next((r for r in _RESOLUTIONS_PX_PER_MM if r >= wanted), _RESOLUTIONS_PX_PER_MM[-1])
    size = round(shape.height_mm * px_per_mm), round(shape.width_mm * px_per_mm)
    sheet = _Sheet(ink=np.zeros(size, np.uint8), red=np.zeros(size, np.uint8), px_per_mm=px_per_mm)
    if has_bare_ones:
        lines = tuple(line.replace("1", BARE_ONE) for line in lines)
    _draw_rows(sheet, lines, shape, rng)
    image = _painted(sheet, colour, rng)
    if rng is not None and rng.random() < 0.5:  # noqa: PLR2004 -- half of the plates show relief
        image = _emboss(image, sheet.ink, rng)
    _draw_border(image, shape, colour, px_per_mm)
    if rng is not None:
        _draw_details(image, lines, shape, px_per_mm=px_per_mm, rng=rng)
    width_px = max(1, round(height_px * shape.width_mm / shape.height_mm))
    resized = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)
