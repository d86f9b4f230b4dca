# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates of every legal format, drawn with the legal geometry (TT 79/2024, Annex 04)."""

import itertools
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from numpy.random import Generator

from models.datasets.synth.press.face import (
    MOTORBIKE_FACES,
    ONE_LINE_FACES,
    TWO_LINE_FACES,
    Face,
    Writing,
    draw_face,
)
from models.runtime.plate_formats import (
    MAX_PLATE_LENGTH,
    PLATE_FORMATS,
    PROVINCE_CODES,
    PlateFormat,
)
from models.runtime.values import BgrImage, PlateColour, PlateLayout

_FORMATS: Final[Mapping[str, PlateFormat]] = MappingProxyType(
    {plate_format.format_id: plate_format for plate_format in PLATE_FORMATS}
)
FORMAT_IDS: Final = tuple(_FORMATS)
_MOTORBIKE_FORMATS: Final = frozenset(
    {"moto_private_new", "moto_private_old", "moped_old", "moto_state", "foreign_moto"}
)
_FOREIGN_FORMATS: Final = frozenset({"foreign_car", "foreign_car_old", "foreign_moto"})
_RED_SERIES: Final = ("NG", "QT")
# Shares among rendered plates: rare families are drawn more often than they are met on the road,
# because the reader must learn them from renderings alone.
_SHARES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "car_private_5": 20.0, "car_business_5": 10.0, "car_state_5": 4.0, "car_old_4": 6.0,
        "moto_private_new": 20.0, "moto_private_old": 18.0, "moped_old": 1.0, "moto_state": 3.0,
        "machine": 1.5,
        "trailer": 2.0, "limited_area": 1.0, "army_company": 1.0, "legacy_special": 7.0,
        "foreign_car": 2.0, "foreign_car_old": 1.0, "foreign_moto": 1.0, "temporary": 1.5,
        "military": 3.0,
    }
)  # fmt: skip
_CUMULATED: Final = tuple(itertools.accumulate(_SHARES[name] for name in FORMAT_IDS))
_MAKES: Final = MappingProxyType(
    {
        name: (tuple(sorted(one.layouts)), tuple(sorted(one.colours)))
        for name, one in _FORMATS.items()
    }
)
_LENGTHS: Final = MappingProxyType({name: one.lengths() for name, one in _FORMATS.items()})
# Letters photographed on military plates; I, O and J do not occur there.
_MILITARY_LETTERS: Final = "ABCDEGHKLMNPQRSTUVXY"
_REPEATED_DIGITS_SHARE: Final = 0.05
_AMBASSADOR_SHARE: Final = 0.12
_ELECTRIC_SHARE: Final = 0.4
"""Share of electric motorbikes among the old special series: the only plates of ten characters."""

# Glyphs that readers take for one another, within and across letters and digits.
_LOOK_ALIKES: Final = (
    "0DOQUC", "8B3", "17ILTJ", "5S6", "2Z7", "6GC0", "EFLB", "HMNKW", "UVY", "KXY", "PRFB",
    "4A1", "389", "068", "14", "69", "DB8", "MNV", "35", "TYF",
)  # fmt: skip
_HARD_SHARE: Final = 0.3
"""Share of plates on which glyphs of one group crowd; the others are uniform."""

_LOOK_ALIKE_SHARE: Final = 0.6
_MIN_HEIGHT_PX: Final = 8
_MAX_HEIGHT_PX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSpec:
    """What a plate says and how it is made.

    Attributes:
        text: Upper case, no separators, top line first, Đ as D.
        layout: Number of lines.
        colour: Background.
        format_id: One of ``FORMAT_IDS``.
    """

    text: str
    layout: PlateLayout
    colour: PlateColour
    format_id: str

    def __post_init__(self) -> None:
        """Refuse a plate that its own format does not know."""
        plate_format = _FORMATS.get(self.format_id)
        if plate_format is None:
            raise ValueError(f"no such plate format: {self.format_id}")
        if self.layout not in plate_format.layouts or self.colour not in plate_format.colours:
            raise ValueError(f"{self.format_id} is not issued as {self.layout}, {self.colour}")
        if len(self.text) not in _LENGTHS[self.format_id]:
            raise ValueError(f"{self.format_id} has no text of {len(self.text)} characters")

    @property
    def is_motorbike(self) -> bool:
        """Whether the plate has the size and the glyphs of a motorbike's plate."""
        return self.format_id in _MOTORBIKE_FORMATS or (
            self.format_id == "legacy_special" and self.text[2:4] == "MD"
        )


def random_plate_spec(rng: Generator, *, format_id: str | None = None) -> PlateSpec:
    """Draw a legal plate at random.

    Args:
        rng: Source of randomness.
        format_id: Family to draw from; ``None`` draws the family too.

    Raises:
        ValueError: If the format is not one of ``FORMAT_IDS``.
    """
    if format_id is None:
        format_id = FORMAT_IDS[bisect(_CUMULATED, rng.random() * _CUMULATED[-1])]
    plate_format = _FORMATS.get(format_id)
    if plate_format is None:
        raise ValueError(f"no such plate format: {format_id}")
    pattern = plate_format.patterns[int(rng.integers(len(plate_format.patterns)))]
    if format_id == "legacy_special" and rng.random() < _ELECTRIC_SHARE:
        electric = [one for one in plate_format.patterns if one[:2] == ("M", "D")]
        pattern = electric[int(rng.integers(len(electric)))]
    if format_id == "military":
        pattern = (_MILITARY_LETTERS, _MILITARY_LETTERS, *pattern[2:])
    code = PROVINCE_CODES[int(rng.integers(len(PROVINCE_CODES)))]
    text = plate_format.prefix + (code if plate_format.has_province else "")
    text = _made_special(text + _random_glyphs(pattern, rng), plate_format, rng)
    layout, colour = rng.integers(1 << 16, size=2).tolist()
    layouts, colours = _MAKES[format_id]
    is_motorbike = format_id == "legacy_special" and text[2:4] == "MD"
    return PlateSpec(
        text=text,
        layout=PlateLayout.TWO_LINE if is_motorbike else layouts[layout % len(layouts)],
        colour=colours[colour % len(colours)],
        format_id=format_id,
    )


def _random_glyphs(pattern: tuple[str, ...], rng: Generator) -> str:
    """Glyphs of a pattern, uniform; on some plates most of them come from one confusable group."""
    draws = rng.integers(1 << 16, size=len(pattern)).tolist()
    hard, group, *stays = rng.random(2 + len(pattern)).tolist()
    look_alike = _LOOK_ALIKES[int(group * len(_LOOK_ALIKES))] if hard < _HARD_SHARE else ""
    glyphs = []
    for allowed, draw, stay in zip(pattern, draws, stays, strict=True):
        alike = _common(look_alike, allowed) if look_alike else ""
        choice = alike if alike and stay < _LOOK_ALIKE_SHARE else allowed
        glyphs.append(choice[draw % len(choice)])
    return "".join(glyphs)


@lru_cache(maxsize=1024)
def _common(some: str, others: str) -> str:
    return "".join(glyph for glyph in some if glyph in others)


def _made_special(text: str, plate_format: PlateFormat, rng: Generator) -> str:
    """Some plates with repeated digits, and some of ambassadors."""
    draw = float(rng.random())
    if draw < _REPEATED_DIGITS_SHARE and text[-4:].isdigit():
        return text[:-4] + text[-1] * 4
    if draw > 1 - _REPEATED_DIGITS_SHARE and text[-4:].isdigit():
        return text[:-4] + text[-2:] * 2
    if plate_format.format_id == "foreign_car" and draw > 1 - _AMBASSADOR_SHARE:
        return text[:-2] + "01"
    return text


def _grouped(digits: str) -> str:
    """Serial number as it is written: five and six digits have a dot after the third."""
    return digits if len(digits) < 5 else f"{digits[:3]}.{digits[3:]}"  # noqa: PLR2004 -- the law


def _head_and_tail(spec: PlateSpec) -> tuple[str, str]:
    """The part before the serial number with its separators, and the serial number."""
    text = spec.text
    if spec.format_id == "military":
        return text[:2], f"{text[2:4]}-{text[4:]}"
    if spec.format_id in {"foreign_car", "foreign_moto"}:
        return f"{text[:2]}-{text[2:5]}", f"{text[5:7]}-{text[7:]}"
    if spec.format_id == "foreign_car_old":
        return f"{text[:2]}-{text[2:4]}", f"{text[4:7]}-{text[7:]}"
    if spec.format_id == "temporary":
        return text[:3], _grouped(text[3:])
    series_end = max(index for index, glyph in enumerate(text) if glyph.isalpha()) + 1
    if spec.is_motorbike:
        series_end = 5 if len(text) == MAX_PLATE_LENGTH else 4
    return text[:series_end], _grouped(text[series_end:])


def drawn_lines(spec: PlateSpec, *, rng: Generator | None = None) -> tuple[str, ...]:
    """Lines as they are painted, with dash and dot, and Đ where the series has it.

    Args:
        spec: The plate.
        rng: Draws between spellings that occur side by side; ``None`` takes
            the current legal one.
    """
    head, tail = _head_and_tail(spec)
    if spec.format_id == "legacy_special":
        head = head.replace("TD", "TĐ").replace("MD", "MĐ")
    if spec.layout is PlateLayout.ONE_LINE:
        return (f"{head}-{tail}",)
    has_top_dash = spec.is_motorbike or (rng is not None and rng.random() < 0.15)  # noqa: PLR2004 -- share seen
    if has_top_dash and "-" not in head and spec.format_id != "military":
        head = f"{head[:2]}-{head[2:]}"
    return head, tail


def render_plate(spec: PlateSpec, *, height_px: int, rng: Generator | None = None) -> BgrImage:
    """Draw a clean frontal plate.

    Args:
        spec: What to draw.
        height_px: Height of the picture in pixels, 8 to 1000; the width
            follows from the plate's legal aspect ratio.
        rng: Varies plate size, punches, colours, border, mark and screws as issued
            plates vary; ``None`` draws the plate of the current law.

    Returns:
        The plate filling the picture to its edges, corners dark where they are rounded.

    Raises:
        ValueError: If the height is out of range.
    """
    faces = _faces(spec)
    face = faces[0] if rng is None else faces[int(rng.integers(len(faces)))]
    return _drawn(spec, face, height_px=height_px, rng=rng)


def render_plate_of_today(spec: PlateSpec, *, height_px: int, rng: Generator) -> BgrImage:
    """Draw a clean frontal plate in today's size, for a vehicle with room for just that.

    Args:
        spec: What to draw.
        height_px: Height of the picture in pixels, 8 to 1000.
        rng: Varies punches, colours, border, mark and screws.

    Raises:
        ValueError: If the height is out of range.
    """
    return _drawn(spec, _faces(spec)[0], height_px=height_px, rng=rng)


def _faces(spec: PlateSpec) -> tuple[Face, ...]:
    """Sizes in which a plate is met, today's first."""
    if spec.is_motorbike:
        return MOTORBIKE_FACES
    return ONE_LINE_FACES if spec.layout is PlateLayout.ONE_LINE else TWO_LINE_FACES


def _drawn(spec: PlateSpec, face: Face, *, height_px: int, rng: Generator | None) -> BgrImage:
    if not _MIN_HEIGHT_PX <= height_px <= _MAX_HEIGHT_PX:
        raise ValueError(f"a plate is drawn 8 to 1000 pixels high, got {height_px}")
    is_foreign = spec.format_id in _FOREIGN_FORMATS
    series = next((one for one in _RED_SERIES if is_foreign and one in spec.text), "")
    writing = Writing(
        lines=drawn_lines(spec, rng=rng),
        colour=spec.colour,
        red_series=series,
        has_red_bar=bool(series) and spec.text.endswith(f"{series}01"),
        has_bare_ones=spec.format_id == "military",
    )
    return draw_face(face, writing, height_px=height_px, rng=rng)
