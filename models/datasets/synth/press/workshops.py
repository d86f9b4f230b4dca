# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workshops that press plates: each has its own punches, which are a little off the law's drawing.

Their number is fixed, so that a punch's mask can be kept and used again; what varies from plate
to plate (size, gaps, colours) is drawn elsewhere.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from models.datasets.synth.press.glyphs import GlyphCell
from models.datasets.synth.press.strokes import TODAY, GlyphStyle

_WORKSHOPS: Final = 24
_SEED: Final = 2024
_WIDTHS: Final = (0.92, 1.05)
_STROKES: Final = (0.7, 1.18)
_SQUARENESSES: Final = (2.0, 2.35, 2.35, 2.8)
_MIDDLES_OF_M: Final = (0.45, 0.55, 0.6, 0.8)
_RARITIES: Final = (0.25, 0.2, 0.12, 0.3, 0.25, 0.2, 0.2)
_MAX_STROKE_SHARE: Final = 0.42


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """One set of punches.

    Attributes:
        style: Shapes.
        width: Width of a glyph over the law's.
        stroke: Width of a stroke over the law's.
    """

    style: GlyphStyle = TODAY
    width: float = 1.0
    stroke: float = 1.0

    def cell(self, lawful: GlyphCell) -> GlyphCell:
        """The cell of this workshop's punches for a cell of the law."""
        if self.width == self.stroke == 1.0:
            return lawful
        width = lawful.width_mm * self.width
        stroke = min(lawful.stroke_mm * self.stroke, _MAX_STROKE_SHARE * width)
        return replace(lawful, width_mm=width, stroke_mm=stroke)


LAWFUL: Final = Workshop()


@lru_cache(maxsize=1)
def workshops() -> tuple[Workshop, ...]:
    """All workshops, the first one lawful; always the same."""
    rng = np.random.default_rng(_SEED)
    others = []
    for _ in range(_WORKSHOPS - 1):
        flags = [draw < rarity for draw, rarity in zip(rng.random(7), _RARITIES, strict=True)]
        style = GlyphStyle(
            squareness=_SQUARENESSES[int(rng.integers(len(_SQUARENESSES)))],
            has_short_flag=flags[0],
            is_four_closed=flags[1],
            is_seven_bent=flags[2],
            has_straight_tails=flags[3],
            has_plain_g=flags[4],
            middle_of_m=_MIDDLES_OF_M[int(rng.integers(len(_MIDDLES_OF_M)))],
            has_pointed_a=flags[5],
            has_round_ends=flags[6],
        )
        width, stroke = float(rng.uniform(*_WIDTHS)), float(rng.uniform(*_STROKES))
        others.append(Workshop(style=style, width=width, stroke=stroke))
    return (LAWFUL, *others)
