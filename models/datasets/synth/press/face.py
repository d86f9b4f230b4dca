# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sheet of a plate: glyph rows, dash, dot, police mark, border, screws, frame."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.press.glyphs import (
    BARE_ONE,
    CAR_CELL,
    MOTORBIKE_CELL,
    GlyphCell,
    pressed_glyph,
)
from models.datasets.synth.press.strokes import GlyphStyle, GrayMask
from models.datasets.synth.press.workshops import LAWFUL, workshops
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
_SIDE_MARGIN_MM: Final = 7.0
_TWO_ROWS: Final = 2
_WIDE_ROW_GAP_MM: Final = 18.0
_SHORT_ROW_GLYPHS: Final = 4
_RED_BAR_MM: Final = 5.0
_FINE_PX_PER_MM: Final = 0.8
"""Plates smaller than this are drawn twice as large first, since glyphs stand on whole pixels."""

_MAX_STRETCH: Final = 0.06
_SQUEEZE_STEPS: Final = 8
_BORDERS_MM: Final = (0.0, 2.0, 3.0, 3.0, 4.5)
_EMBOSSED_SHARE: Final = 0.5
_GLOSSY_SHARE: Final = 0.25
_MARKED_SHARE: Final = 0.6
_SCREWED_SHARE: Final = 0.35
_CORNER_SHADE: Final = 45
_BORDER_INK: Final = 0.55
"""How much of the ink's colour the pressed line has: some are painted over, some are left bare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What stands on a plate.

    Attributes:
        lines: One or two lines of glyphs, ``-`` and ``.``.
        colour: Background; the ink follows from it.
        red_series: Letters painted red, as the law wants for NG and QT; empty for none.
        has_red_bar: A red bar crosses the digits: an ambassador or the head of a UN body.
        has_bare_ones: The digit 1 has no flag, as on military plates.
    """

    lines: tuple[str, ...]
    colour: PlateColour
    red_series: str = ""
    has_red_bar: bool = False
    has_bare_ones: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """Masks under construction, and the punches they are pressed with."""

    ink: GrayMask
    red: GrayMask
    px_per_mm: float
    punch: GlyphCell
    style: GlyphStyle


def _varied(face: Face, rng: Generator) -> Face:
    """A face with glyphs as large and as far apart as another workshop presses them."""
    cell = face.cell
    shift, corner, wider, taller = rng.random(4).tolist()
    return replace(
        face,
        cell=replace(
            cell,
            width_mm=cell.width_mm * (1 + _MAX_STRETCH * (2 * wider - 1)),
            height_mm=cell.height_mm * (1 + _MAX_STRETCH * (2 * taller - 1)),
        ),
        row_gaps_mm=tuple(gap * (0.85 + 0.4 * shift) for gap in face.row_gaps_mm),
        corner_mm=3 + 11 * corner,
        border_mm=_BORDERS_MM[int(rng.integers(len(_BORDERS_MM)))],
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


def _symbol_mask(symbol: str, face: Face, sheet: _Sheet, squeeze: float) -> GrayMask:
    if symbol in "-.":
        size_mm = face.dash_mm if symbol == "-" else (face.dot_mm, face.dot_mm)
    else:
        size_mm = face.cell.width_mm, face.cell.height_mm
    width_px = max(1, round(size_mm[0] * squeeze * sheet.px_per_mm))
    height_px = max(1, round(size_mm[1] * sheet.px_per_mm))
    if symbol in "-.":
        return np.full((height_px, width_px), 255, np.uint8)
    punch = sheet.punch
    if squeeze < 1:
        # A few narrower punches, whose masks can be used again; the rest is stretched.
        width = punch.width_mm * np.ceil(squeeze * _SQUEEZE_STEPS) / _SQUEEZE_STEPS
        punch = replace(punch, width_mm=width, stroke_mm=min(punch.stroke_mm, 0.42 * width))
    return pressed_glyph(symbol, punch, style=sheet.style, height_px=height_px, width_px=width_px)


def _symbol_top_mm(symbol: str, face: Face, top_mm: float) -> float:
    if symbol == "-":
        return top_mm + (face.cell.height_mm - face.dash_mm[1]) / 2
    return top_mm + face.cell.height_mm - face.dot_mm if symbol == "." else top_mm


def _draw_row(
    sheet: _Sheet, line: str, face: Face, writing: Writing, *, top_mm: float, gap_mm: float
) -> None:
    """Draw one centred line of glyphs with its dash and dot."""
    gap_mm, squeeze = _row_fit(line, face, gap_mm)
    advances = [_advance_mm(symbol, face) * squeeze for symbol in line]
    x_mm = (face.width_mm - sum(advances) - gap_mm * (len(line) - 1)) / 2
    bar = max(1, round(_RED_BAR_MM * sheet.px_per_mm))
    bar_y = round((top_mm + face.cell.height_mm / 2) * sheet.px_per_mm)
    red_from = line.find(writing.red_series) if writing.red_series else -1
    for index, (symbol, advance) in enumerate(zip(line, advances, strict=True)):
        x_px = round(x_mm * sheet.px_per_mm)
        y_px = round(_symbol_top_mm(symbol, face, top_mm) * sheet.px_per_mm)
        is_red = 0 <= red_from <= index < red_from + len(writing.red_series)
        mask = _symbol_mask(symbol, face, sheet, squeeze)
        _paste(sheet.red if is_red else sheet.ink, mask, x_px=x_px, y_px=y_px)
        if writing.has_red_bar and symbol.isdigit():
            sheet.red[bar_y : bar_y + bar, max(0, x_px) : x_px + mask.shape[1]] = 255
        x_mm += advance + gap_mm


def _row_gap_mm(line: str, face: Face, row: int, rng: Generator | None) -> float:
    """Gap of a row; old motorbike plates spread four digits over the whole width."""
    gap = face.row_gaps_mm[row]
    if rng is None or row == 0 or len(line) != _SHORT_ROW_GLYPHS or "-" in line:
        return gap
    return float(rng.uniform(gap, max(gap, _WIDE_ROW_GAP_MM)))


def _draw_rows(sheet: _Sheet, writing: Writing, face: Face, rng: Generator | None) -> None:
    height = face.cell.height_mm
    lines = writing.lines
    if writing.has_bare_ones:
        lines = tuple(line.replace("1", BARE_ONE) for line in lines)
    if len(lines) == _TWO_ROWS:
        free = max(0.0, face.height_mm - 2 * height)
        tops = [free * 0.32, free * 0.68 + height]
    else:
        tops = [(face.height_mm - height) / 2]
    for row, (line, top_mm) in enumerate(zip(lines, tops, strict=True)):
        gap_mm = _row_gap_mm(line, face, row, rng)
        _draw_row(sheet, line, face, writing, top_mm=top_mm, gap_mm=gap_mm)


def _painted(sheet: _Sheet, colour: PlateColour, rng: Generator | None) -> BgrImage:
    """Turn ink coverage into colours."""
    ground, ink = (np.array(value, np.float32) for value in _COLOURS[colour])
    red = np.array(_RED_INK, np.float32)
    if rng is not None:
        noise = rng.standard_normal((3, 3), dtype=np.float32)
        shades = rng.random(2, dtype=np.float32)
        ground = ground * (0.76 + 0.3 * shades[0]) + 6 * noise[0]
        ink = ink + (60 * shades[1] - 15) + 4 * noise[1]
        red = red + 18 * noise[2]
    image = _inked(sheet.ink, ground, ink)
    if sheet.red.any():
        cv2.copyTo(_inked(sheet.red, ground, red), sheet.red, image)
    return image


def _inked(cover: GrayMask, ground: NDArray[np.float32], ink: NDArray[np.float32]) -> BgrImage:
    """Colours between the sheet's, where the cover is 0, and the ink's, where it is 255."""
    low, high = np.clip(ground, 0, 255).tolist(), np.clip(ink, 0, 255).tolist()
    channels = [
        cv2.convertScaleAbs(cover, alpha=(end - start) / 255, beta=start)
        for start, end in zip(low, high, strict=True)
    ]
    return np.asarray(cv2.merge(channels), dtype=np.uint8)


def _emboss(image: BgrImage, sheet: _Sheet, rng: Generator) -> BgrImage:
    """Light along one side of the pressed edges and shadow along the other."""
    angle, light, shade = rng.random(3).tolist()
    reach = max(1.0, sheet.px_per_mm) * (2.0 if rng.random() < _GLOSSY_SHARE else 1.0)
    shift = np.array(
        [[1, 0, reach * np.cos(2 * np.pi * angle)], [0, 1, reach * np.sin(2 * np.pi * angle)]]
    )
    pressed = cv2.max(sheet.ink, sheet.red)
    moved = cv2.warpAffine(pressed, shift, pressed.shape[::-1])
    gloss = 0.08 + 0.3 * light + (0.6 if reach > max(1.0, sheet.px_per_mm) else 0.0)
    bright = cv2.convertScaleAbs(cv2.subtract(moved, pressed), alpha=gloss)
    dark = cv2.convertScaleAbs(cv2.subtract(pressed, moved), alpha=0.05 + 0.35 * shade)
    lit = cv2.subtract(cv2.add(image, cv2.merge((bright,) * 3)), cv2.merge((dark,) * 3))
    return np.asarray(lit, dtype=np.uint8)


@lru_cache(maxsize=128)
def _corner(radius_px: int) -> NDArray[np.bool_]:
    """Pixels of a top left corner that a rounded sheet leaves free."""
    rows, columns = np.mgrid[0:radius_px, 0:radius_px] - radius_px + 0.5
    corner = np.hypot(rows, columns) > radius_px
    corner.flags.writeable = False
    return np.asarray(corner, dtype=np.bool_)


def _draw_border(
    image: BgrImage, face: Face, colour: PlateColour, *, px_per_mm: float, inked: float
) -> None:
    """The pressed line along the edge, in the colour of the text, and rounded corners."""
    height, width = image.shape[:2]
    thickness = round(face.border_mm * px_per_mm)
    if thickness > 0:
        inset = thickness + round(1.5 * px_per_mm)
        ink = tuple(a + (b - a) * inked for a, b in zip(*_COLOURS[colour], strict=True))
        cv2.rectangle(image, (inset, inset), (width - 1 - inset, height - 1 - inset), ink,
                      thickness, cv2.LINE_AA)  # fmt: skip
    radius = max(1, round(face.corner_mm * px_per_mm))
    corner = _corner(radius)
    for patch in (
        image[:radius, :radius], image[:radius, ::-1][:, :radius],
        image[::-1][:radius, :radius], image[::-1, ::-1][:radius, :radius],
    ):  # fmt: skip
        patch[corner[: patch.shape[0], : patch.shape[1]]] = _CORNER_SHADE


def _draw_details(
    image: BgrImage, lines: tuple[str, ...], face: Face, *, px_per_mm: float, rng: Generator
) -> None:
    """Police mark and screws, each on some plates."""
    height, width = image.shape[:2]
    mark, shade, screws, size, row, screw_shade = rng.random(6).tolist()
    if mark < _MARKED_SHARE:
        has_dash = "-" in lines[0]
        x_mm = face.width_mm * (0.5 if len(lines) == _TWO_ROWS else 0.36) if has_dash else 9.0
        y_mm = 12.0 if has_dash else face.height_mm / 2
        centre = (round(x_mm * px_per_mm), round(y_mm * px_per_mm))
        grey = (90 + 125 * shade,) * 3
        cv2.circle(image, centre, max(1, round(4 * px_per_mm)), grey, 1, cv2.LINE_AA)
    if screws < _SCREWED_SHARE:
        radius = max(1, round((2 + 3 * size) * px_per_mm))
        y = round(height * (0.08, 0.5, 0.92)[int(3 * row)])
        for x in (round(0.22 * width), round(0.78 * width)):
            cv2.circle(image, (x, y), radius, (20 + 215 * screw_shade,) * 3, -1, cv2.LINE_AA)


def draw_face(face: Face, writing: Writing, *, height_px: int, rng: Generator | None) -> BgrImage:
    """Draw a plate's sheet.

    Args:
        face: Geometry.
        writing: What stands on it.
        height_px: Height of the result in pixels.
        rng: Varies what varies between workshops; ``None`` draws the law.

    Returns:
        Picture of ``height_px`` rows with the face's aspect ratio.
    """
    workshop = LAWFUL if rng is None else workshops()[int(rng.integers(len(workshops())))]
    punch = workshop.cell(face.cell)
    shape = face if rng is None else _varied(replace(face, cell=punch), rng)
    width_px = max(1, round(height_px * shape.width_mm / shape.height_mm))
    px_per_mm = height_px / shape.height_mm
    if px_per_mm < _FINE_PX_PER_MM:
        px_per_mm *= np.ceil(_FINE_PX_PER_MM / px_per_mm)
    size = round(shape.height_mm * px_per_mm), round(shape.width_mm * px_per_mm)
    sheet = _Sheet(
        ink=np.zeros(size, np.uint8),
        red=np.zeros(size, np.uint8),
        px_per_mm=px_per_mm,
        punch=punch,
        style=workshop.style,
    )
    _draw_rows(sheet, writing, shape, rng)
    image = _painted(sheet, writing.colour, rng)
    if rng is not None and rng.random() < _EMBOSSED_SHARE:
        image = _emboss(image, sheet, rng)
    inked = _BORDER_INK if rng is None else float(rng.uniform(0.25, 1.0))
    _draw_border(image, shape, writing.colour, px_per_mm=px_per_mm, inked=inked)
    if rng is not None:
        _draw_details(image, writing.lines, shape, px_per_mm=px_per_mm, rng=rng)
    if image.shape[:2] == (height_px, width_px):
        return image
    resized = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)
