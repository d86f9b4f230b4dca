# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plate glyphs as ink, because the legal typeface is not published as a font file.

A glyph stands in the legal cell (Circular TT 79/2024, Annex 04: car 38x63 mm with a stroke of
10 mm, motorbike 22x55 mm with a stroke of 7 mm) and is drawn at the legal stroke width.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from models.datasets.synth.press.shapes import BARE_ONE, SHAPES
from models.datasets.synth.press.strokes import TODAY, GlyphStyle, GrayMask, Hand, ink

__all__ = [
    "BARE_ONE",
    "CAR_CELL",
    "GLYPHS",
    "MOTORBIKE_CELL",
    "GlyphCell",
    "glyph_mask",
    "pressed_glyph",
]

_MASKS_KEPT: Final = 8192
"""Big masks kept in memory, 5 to 12 kB each; fewer are drawn again more often."""

_SMOOTH_RATIO: Final = 1.7
"""Up to this reduction the fast interpolation is smooth enough; above, it would alias."""

GLYPHS: Final = frozenset(SHAPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphCell:
    """Size of one glyph; all lengths in millimetres and positive."""

    width_mm: float
    height_mm: float
    stroke_mm: float

    def __post_init__(self) -> None:
        """Refuse a cell in which two strokes cannot stand side by side."""
        if not 0 < 2 * self.stroke_mm < min(self.width_mm, self.height_mm):
            raise ValueError("a stroke must be thinner than half the cell")


CAR_CELL: Final = GlyphCell(width_mm=38, height_mm=63, stroke_mm=10)
MOTORBIKE_CELL: Final = GlyphCell(width_mm=22, height_mm=55, stroke_mm=7)


@lru_cache(maxsize=_MASKS_KEPT)
def _big_mask(glyph: str, cell: GlyphCell, style: GlyphStyle) -> GrayMask:
    """A glyph large enough to be shrunk to any size."""
    hand = Hand(
        width=cell.width_mm - cell.stroke_mm, height=cell.height_mm - cell.stroke_mm, style=style
    )
    size_mm = cell.width_mm, cell.height_mm
    mask = ink(SHAPES[glyph](hand), stroke_mm=cell.stroke_mm, size_mm=size_mm, style=style)
    mask.flags.writeable = False
    return mask


def pressed_glyph(
    glyph: str, cell: GlyphCell, *, style: GlyphStyle, height_px: int, width_px: int
) -> GrayMask:
    """Draw one glyph as ink coverage, stretched to a size.

    Args:
        glyph: One of ``GLYPHS``; ``BARE_ONE`` is the flagless digit 1 of military plates.
        cell: Size of the punch; its proportions decide how thick strokes look.
        style: The workshop's hand.
        height_px: Rows of the mask, at least 1.
        width_px: Columns of the mask, at least 1.

    Returns:
        Coverage 0 to 255.

    Raises:
        ValueError: If the glyph is not one of ``GLYPHS``.
    """
    if glyph not in GLYPHS:
        raise ValueError(f"no such glyph: {len(glyph)} characters were given")
    big = _big_mask(glyph, cell, style)
    mode = cv2.INTER_AREA if height_px * _SMOOTH_RATIO < big.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(big, (width_px, height_px), interpolation=mode), dtype=np.uint8)


def glyph_mask(glyph: str, cell: GlyphCell, px_per_mm: float) -> GrayMask:
    """Draw one glyph as the law has it, as ink coverage.

    Args:
        glyph: One of ``GLYPHS``.
        cell: Size of the glyph in millimetres.
        px_per_mm: Resolution, above 0.

    Returns:
        Coverage 0 to 255 of the cell, shape
        ``(round(height_mm * px_per_mm), round(width_mm * px_per_mm))``.

    Raises:
        ValueError: If the glyph is not one of ``GLYPHS``.
    """
    return pressed_glyph(
        glyph,
        cell,
        style=TODAY,
        height_px=max(1, round(cell.height_mm * px_per_mm)),
        width_px=max(1, round(cell.width_mm * px_per_mm)),
    )
