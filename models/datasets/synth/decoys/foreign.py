# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates of other countries, as they look from afar; none carries the text of a Vietnamese one."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.synth.decoys.writing import Script, filled_in, write
from models.runtime.grammar import is_legal_plate, normalise_plate
from models.runtime.values import BgrImage

Colour = tuple[int, int, int]

_WHITE: Final[Colour] = (238, 240, 240)
_BLACK: Final[Colour] = (25, 22, 22)
_YELLOW: Final[Colour] = (20, 195, 250)
_BLUE: Final[Colour] = (170, 70, 15)
_GREEN: Final[Colour] = (90, 160, 40)
_RED: Final[Colour] = (40, 35, 200)
_HEIGHT_PX: Final = 128
_LONG_HEIGHT_PX: Final = 84
_TRIES: Final = 20
_SLOGANS: Final = (
    "SUNSHINE STATE", "GARDEN STATE", "FIRST IN FLIGHT", "CALIFORNIA", "TEXAS", "OREGON",
    "WELCOME", "LAND OF LAKES", "HISTORIC", "DMV.GOV", "GRAND CANYON STATE",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKind:
    """How the plates of one country look.

    Attributes:
        aspect: Width over height.
        grounds: Colours of the sheet, each with its ink.
        lines: Patterns of the lines, see ``filled_in``, with their shares of the height.
        band: Colour of a band at the left; ``None`` for none.
        has_slogans: Small lettering above and below.
    """

    aspect: float
    grounds: tuple[tuple[Colour, Colour], ...]
    lines: tuple[tuple[tuple[str, float], ...], ...]
    band: Colour | None = None
    has_slogans: bool = False


_ON_WHITE: Final = ((_WHITE, _BLACK),)
_KINDS: Final = (
    ForeignKind(  # European Union
        aspect=4.6, grounds=(*_ON_WHITE, (_YELLOW, _BLACK), (_WHITE, _RED)), band=_BLUE,
        lines=tuple(
            ((text, 0.68),)
            for text in ("AA-999-AA", "A AA 9999", "AAA 9999", "9AAA999", "AA 999 AA", "AA-99-AA")
        ),
    ),
    ForeignKind(  # United Kingdom
        aspect=4.7, grounds=((_YELLOW, _BLACK), (_WHITE, _BLACK)),
        lines=((("AA99 AAA", 0.7),), (("A999 AAA", 0.7),)),
    ),
    ForeignKind(  # United States
        aspect=2.0, has_slogans=True,
        grounds=(
            (_WHITE, _BLUE), (_WHITE, _GREEN), ((230, 215, 190), _BLACK), (_YELLOW, _BLUE),
            ((190, 220, 235), _RED), ((120, 60, 30), _YELLOW),
        ),
        lines=((("AAA 9999", 0.5),), (("9AAA999", 0.5),), (("AAA-999", 0.5),), (("999 AAA", 0.5),)),
    ),
    ForeignKind(  # China
        aspect=3.14,
        grounds=((_BLUE, _WHITE), ((150, 200, 120), _BLACK), (_YELLOW, _BLACK)),
        lines=((("hA*99999", 0.64),), (("hA*A999A", 0.64),), (("hA*99A99", 0.64),)),
    ),
    ForeignKind(  # Thailand, Laos: script and digits, the province below
        aspect=2.0, grounds=(*_ON_WHITE, (_YELLOW, _BLACK), (_WHITE, _GREEN)),
        lines=(
            (("tt 9999", 0.46), ("tttttt", 0.2)), (("9tt 999", 0.46), ("ttttttttt", 0.2)),
            (("tttt", 0.2), ("tt 9999", 0.46)),
        ),
    ),
    ForeignKind(  # Thai motorbike
        aspect=1.28, grounds=_ON_WHITE,
        lines=(
            (("9tt", 0.28), ("tttttt", 0.16), ("999", 0.3)),
            (("ttt", 0.28), ("ttttt", 0.16), ("9999", 0.3)),
        ),
    ),
    ForeignKind(  # Cambodia
        aspect=2.8, grounds=((_WHITE, _BLUE), *_ON_WHITE),
        lines=(
            (("kkkkk", 0.2), ("9A-9999", 0.42), ("PHNOM PENH", 0.12)),
            (("kkkk", 0.22), ("9AA.9999", 0.5)),
        ),
    ),
    ForeignKind(  # Indonesia
        aspect=2.9, grounds=((_BLACK, _WHITE), *_ON_WHITE),
        lines=((("A 9999 AAA", 0.52), ("99*99", 0.2)), (("AA 9999 AA", 0.52), ("99*99", 0.2))),
    ),
    ForeignKind(  # Malaysia, Singapore
        aspect=4.2, grounds=((_BLACK, _WHITE), (_YELLOW, _BLACK)),
        lines=((("AAA 9999", 0.66),), (("AAA 9999 A", 0.62),), (("A 9999 A", 0.66),)),
    ),
    ForeignKind(  # Malaysia, India: two lines
        aspect=1.7, grounds=((_BLACK, _WHITE), *_ON_WHITE, (_YELLOW, _BLACK)),
        lines=((("AAA", 0.34), ("9999", 0.38)), (("AA 99", 0.34), ("AA 9999", 0.38))),
    ),
    ForeignKind(  # Japan, Korea, Taiwan
        aspect=2.0, grounds=(*_ON_WHITE, ((90, 110, 20), _WHITE), (_YELLOW, _BLACK)),
        lines=((("hh 999", 0.22), ("h 99-99", 0.48)), (("999h 9999", 0.44),), (("AAA-9999", 0.5),)),
    ),
)  # fmt: skip


def foreign_text(patterns: tuple[str, ...], rng: Generator) -> tuple[str, ...]:
    """Lines by their patterns which together are no Vietnamese plate."""
    for _ in range(_TRIES):
        lines = tuple(filled_in(pattern, rng) for pattern in patterns)
        signs = "".join(sign for line in lines for sign in line if sign not in set(Script))
        if not is_legal_plate(normalise_plate(signs)):
            return lines
    raise ValueError("the patterns give Vietnamese plates only")


def random_foreign_plate(rng: Generator) -> BgrImage:
    """A clean frontal plate of another country, filling its picture."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    rows = kind.lines[int(rng.integers(len(kind.lines)))]
    ground, ink = kind.grounds[int(rng.integers(len(kind.grounds)))]
    height = _LONG_HEIGHT_PX if kind.aspect > 3 else _HEIGHT_PX  # noqa: PLR2004 -- one line
    width = round(height * kind.aspect * float(rng.uniform(0.92, 1.08)))
    shade = float(rng.uniform(0.8, 1.05))
    image = np.full((height, width, 3), np.clip(np.array(ground) * shade, 0, 255), np.uint8)
    if kind.has_slogans:
        _decorate(image, rng)
    left = 0
    if kind.band is not None and rng.random() < 0.85:  # noqa: PLR2004 -- a few have none
        left = round(height * float(rng.uniform(0.36, 0.46)))
        image[:, :left] = kind.band
        middle = (left // 2, height // 3)
        cv2.circle(image, middle, left // 3, (20, 200, 240), 1, cv2.LINE_AA)
        box = (2, round(0.62 * height), left - 4, round(0.22 * height))
        write(
            image, filled_in("AA"[: int(rng.integers(1, 3))], rng), rng, box_px=box, colour=_WHITE
        )
    texts = foreign_text(tuple(pattern for pattern, _ in rows), rng)
    free = 1 - sum(share for _, share in rows)
    top = free / (len(rows) + 1)
    margin = round(0.05 * height)
    for text, (_, share) in zip(texts, rows, strict=True):
        box = (left + margin, round(top * height), width - left - 2 * margin, round(share * height))
        write(image, text, rng, box_px=box, colour=ink)
        top += share + free / (len(rows) + 1)
    if rng.random() < 0.6:  # noqa: PLR2004 -- share with a line along the edge
        cv2.rectangle(image, (3, 3), (width - 4, height - 4), ink, max(1, height // 50))
    return image


def _decorate(image: BgrImage, rng: Generator) -> None:
    """A state's colours and words, in place."""
    height, width = image.shape[:2]
    if rng.random() < 0.5:  # noqa: PLR2004 -- half of them have a picture
        sky = rng.integers(60, 256, (3, 2, 3)).astype(np.uint8)
        picture = cv2.resize(sky, (width, height), interpolation=cv2.INTER_LINEAR)
        image[:] = cv2.addWeighted(image, 0.6, picture, 0.4, 0)
    colour = tuple(int(v) for v in rng.integers(0, 160, 3))
    slogans = rng.choice(len(_SLOGANS), 2, replace=False).tolist()
    boxes = (
        (round(0.15 * width), round(0.06 * height), round(0.7 * width), round(0.14 * height)),
        (round(0.2 * width), round(0.84 * height), round(0.6 * width), round(0.1 * height)),
    )
    for slogan, box in zip(slogans, boxes, strict=True):
        write(image, _SLOGANS[slogan], rng, box_px=box, colour=(colour[0], colour[1], colour[2]))
