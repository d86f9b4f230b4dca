# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which kinds of plate a text may be, and how it is set on the plate.

A text alone may be several plates: white and yellow share their texts, and eight signs may be a
car of today or an old motorcycle (TT 79/2024/TT-BCA). So parsing gives every possibility, and what
the camera saw (colour, lines) narrows it. Formats and province codes are dated data in
``law/plate_formats.csv`` and ``law/plate_provinces.csv``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Annotated, Final

from pydantic import Field

from central.contracts.passage import PlateColour, PlateLayout
from central.domain.law.reading import LawLine, WordList, law_text, parse_lines
from central.domain.legal import LegalBasis
from central.domain.plates import normalise_plate_text

FORMATS_FILE: Final = "plate_formats.csv"
PROVINCES_FILE: Final = "plate_provinces.csv"

_LETTER_SETS: Final = {
    "L20B": "[A-HK-NPR-VX-Z]",
    "L20": "[A-HK-NPS-VX-Z]",
    "L11": "[A-HK-M]",
}
"""Series letters (Art. 37.5), by the names that the shapes use."""

_LINE_SIGN: Final = "|"
_DIGITS_WITH_DOT: Final = 5
_DIGITS_AFTER_DOT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateFormat:
    """One kind of plate.

    Attributes:
        colours: Backgrounds on which it exists.
        layouts: Numbers of lines on which it exists.
        shape: What its text looks like without separators.
        one_line: How its parts are set on one line.
        two_line: How its parts are set on two, top first.
        example: As it hangs on a vehicle.
        is_issued: Whether new ones are given; old ones stay valid.
        basis: The law.
    """

    id: str
    name: str
    name_en: str
    colours: frozenset[PlateColour]
    layouts: frozenset[PlateLayout]
    shape: re.Pattern[str]
    one_line: str
    two_line: tuple[str, str]
    example: str
    is_issued: bool
    basis: LegalBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvinceCode:
    """What a province code means while this version of the law holds."""

    code: str
    province: str
    basis: LegalBasis

    @property
    def valid_from(self) -> date:
        """First day of this version."""
        return self.basis.valid_from

    @property
    def valid_until(self) -> date | None:
        """First day on which this version no longer holds."""
        return self.basis.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class PossiblePlate:
    """A text as a plate of one kind.

    Attributes:
        text: Normalised, such as ``30F25658``.
    """

    text: str
    format: PlateFormat


def parse_plate(
    text: str,
    *,
    colour: PlateColour | None = None,
    layout: PlateLayout | None = None,
    formats: Sequence[PlateFormat] | None = None,
) -> tuple[PossiblePlate, ...]:
    """Every kind of plate that a text may be, commonest first; none when it can't be a plate.

    Args:
        text: As it was typed or read, with or without separators.
        colour: Keeps only kinds of this colour; ``None`` or ``UNKNOWN`` keeps all.
        layout: Keeps only kinds that exist with these lines; ``None`` keeps all.
        formats: The grammar; ``None`` for that of the law's file.
    """
    plain = normalise_plate_text(text)
    colours = frozenset(PlateColour) if colour in {None, PlateColour.UNKNOWN} else {colour}
    return tuple(
        PossiblePlate(text=plain, format=each)
        for each in (plate_formats() if formats is None else formats)
        if each.colours & colours
        and (layout is None or layout in each.layouts)
        and each.shape.fullmatch(plain) is not None
    )


def is_plate(text: str, *, colour: PlateColour | None = None) -> bool:
    """Whether a text can be a plate of a colour."""
    return bool(parse_plate(text, colour=colour))


def format_plate(plate: PossiblePlate, layout: PlateLayout) -> tuple[str, ...]:
    """Lines of a plate as they stand on it, top first: one or two.

    Raises:
        ValueError: The text does not fit its format (a bug).
    """
    found = plate.format.shape.fullmatch(plate.text)
    if found is None:
        raise ValueError(f"a text does not fit format {plate.format.id}")
    parts = {name: part or "" for name, part in found.groupdict().items()}
    parts["number"] = _dotted(parts["number"])
    templates = (
        plate.format.two_line if layout is PlateLayout.TWO_LINE else (plate.format.one_line,)
    )
    return tuple(template.format_map(parts) for template in templates)


@lru_cache(maxsize=1)
def plate_formats() -> tuple[PlateFormat, ...]:
    """The kinds of plate in the package's file, commonest first; read once.

    Raises:
        ValueError: The file is broken (a bug).
    """
    codes = sorted({each.code for each in province_codes()})
    return parse_formats(law_text(FORMATS_FILE), codes=codes)


@lru_cache(maxsize=1)
def province_codes() -> tuple[ProvinceCode, ...]:
    """Every version of every province code in the package's file; read once.

    Raises:
        ValueError: The file is broken (a bug).
    """
    return tuple(
        ProvinceCode(code=line.code, province=line.province, basis=line.basis())
        for line in parse_lines(law_text(PROVINCES_FILE), _ProvinceLine)
    )


class _FormatLine(LawLine):
    """A line of the table of formats."""

    format: Annotated[str, Field(pattern=r"^[a-z][a-z_0-9]{2,39}$")]
    name: str
    name_en: str
    colours: WordList
    layouts: WordList
    shape: str
    one_line: str
    two_line: str
    example: str
    is_issued: bool


class _ProvinceLine(LawLine):
    """A line of the table of province codes."""

    code: Annotated[str, Field(pattern=r"^[1-9][0-9]$")]
    province: str


def parse_formats(text: str, *, codes: Sequence[str]) -> tuple[PlateFormat, ...]:
    """Read formats from the table's text.

    Args:
        text: The table.
        codes: Province codes that exist, two digits each.

    Raises:
        ValueError: A line is wrong.
    """
    sets = {**_LETTER_SETS, "P": f"(?:{'|'.join(codes)})"}
    formats = []
    for line in parse_lines(text, _FormatLine):
        shape = line.shape
        for name, characters in sets.items():
            shape = shape.replace("{" + name + "}", characters)
        top, _, bottom = line.two_line.partition(_LINE_SIGN)
        formats.append(
            PlateFormat(
                id=line.format,
                name=line.name,
                name_en=line.name_en,
                colours=frozenset(map(PlateColour, line.colours)),
                layouts=frozenset(map(PlateLayout, line.layouts)),
                shape=re.compile(shape, re.ASCII),
                one_line=line.one_line,
                two_line=(top, bottom),
                example=line.example,
                is_issued=line.is_issued,
                basis=line.basis(),
            )
        )
    return tuple(formats)


def _dotted(digits: str) -> str:
    """Five digits carry a dot before the last two; other numbers carry none."""
    if len(digits) != _DIGITS_WITH_DOT:
        return digits
    return f"{digits[:-_DIGITS_AFTER_DOT]}.{digits[-_DIGITS_AFTER_DOT:]}"
