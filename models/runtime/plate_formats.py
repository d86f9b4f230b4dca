# SPDX-License-Identifier: AGPL-3.0-or-later
"""Legal number plates as data: which characters may stand where, on which plate.

Source: Circular TT 79/2024/TT-BCA, Articles 37 and 39 and Annexes 02 and 04.  Plates of before
that circular stay valid and are listed too.  Text is always upper case, without separators, top
line first, with Đ written as D.
"""

from dataclasses import dataclass
from typing import Final

from models.runtime.values import PlateColour, PlateLayout

DIGITS: Final = "0123456789"
ORDINALS: Final = "123456789"
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SERIES_LETTERS: Final = "ABCDEFGHKLMNPSTUVXYZ"
"""The 20 letters of Article 37.5; never I, J, O, Q, R, W."""
SECOND_SERIES_LETTERS: Final = "ABCDEFGHKLMNPRSTUVXYZ"
"""Article 37.5.d has G and no R, Annex 04 has R and no G: the union is accepted."""
STATE_LETTERS: Final = "ABCDEFGHKLM"
ALPHABET: Final = DIGITS + LETTERS
MAX_PLATE_LENGTH: Final = 10

_NOT_ISSUED: Final = frozenset({"13", "42", "44", "45", "46", "87", "91", "96"})
PROVINCE_CODES: Final = tuple(str(code) for code in range(11, 100) if str(code) not in _NOT_ISSUED)
"""The 81 codes of Annex 02, 80 (traffic police department) among them."""

_BOTH: Final = frozenset(PlateLayout)
_TWO: Final = frozenset({PlateLayout.TWO_LINE})
_WHITE: Final = frozenset({PlateColour.WHITE})
_BLUE: Final = frozenset({PlateColour.BLUE})
_YELLOW: Final = frozenset({PlateColour.YELLOW})
_OWNERS: Final = _WHITE | _BLUE | _YELLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateFormat:
    """One family of plates.

    Attributes:
        format_id: Name, as in the table of formats.
        patterns: Character sets by position, without the province code; one
            pattern per length or special series.
        prefix: Fixed text before the province code.
        has_province: Whether a province code follows the prefix.
        layouts: Layouts on which the family is issued.
        colours: Backgrounds on which the family is issued.
        weight: How common the family is, relative, above 0; only decides
            between texts that the picture leaves about equally likely.
    """

    format_id: str
    patterns: tuple[tuple[str, ...], ...]
    layouts: frozenset[PlateLayout]
    colours: frozenset[PlateColour]
    weight: float
    prefix: str = ""
    has_province: bool = True

    def lengths(self) -> frozenset[int]:
        """Text lengths that the family has."""
        fixed = len(self.prefix) + (2 if self.has_province else 0)
        return frozenset(fixed + len(pattern) for pattern in self.patterns)


def _digits(count: int) -> tuple[str, ...]:
    return (DIGITS,) * count


def _series(*series: str, digits: tuple[int, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(name) + _digits(count) for name in series for count in digits)


_FOREIGN: Final = ("NG", "QT", "CV", "NN")

PLATE_FORMATS: Final[tuple[PlateFormat, ...]] = (
    PlateFormat(
        format_id="car_private_5",
        patterns=((SERIES_LETTERS, *_digits(5)),),
        layouts=_BOTH, colours=_WHITE, weight=1.0,
    ),
    PlateFormat(
        format_id="car_business_5",
        patterns=((SERIES_LETTERS, *_digits(5)),),
        layouts=_BOTH, colours=_YELLOW, weight=1.0,
    ),
    PlateFormat(
        format_id="car_state_5",
        patterns=((STATE_LETTERS, *_digits(5)),),
        layouts=_BOTH, colours=_BLUE, weight=1.0,
    ),
    PlateFormat(
        format_id="car_old_4",
        patterns=((SERIES_LETTERS, *_digits(4)),),
        layouts=_BOTH, colours=_OWNERS, weight=0.3,
    ),
    PlateFormat(
        format_id="moto_private_new",
        patterns=((SERIES_LETTERS, SECOND_SERIES_LETTERS, *_digits(5)),),
        layouts=_TWO, colours=_WHITE, weight=1.0,
    ),
    PlateFormat(
        format_id="moto_private_old",
        patterns=tuple((SERIES_LETTERS, ORDINALS, *_digits(n)) for n in (4, 5)),
        layouts=_TWO, colours=_WHITE, weight=1.0,
    ),
    # Two letters and four digits: mopeds of before 2023, as photographed.
    PlateFormat(
        format_id="moped_old",
        patterns=((SERIES_LETTERS, SECOND_SERIES_LETTERS, *_digits(4)),),
        layouts=_TWO, colours=_WHITE, weight=0.05,
    ),
    PlateFormat(
        format_id="moto_state",
        patterns=((STATE_LETTERS, ORDINALS, *_digits(5)),),
        layouts=_TWO, colours=_BLUE, weight=1.0,
    ),
    PlateFormat(
        format_id="machine", patterns=_series("CD", digits=(5,)),
        layouts=_BOTH, colours=_OWNERS, weight=0.1,
    ),
    PlateFormat(
        format_id="trailer", patterns=_series("RM", digits=(5,)),
        layouts=_TWO, colours=_OWNERS, weight=0.1,
    ),
    PlateFormat(
        format_id="limited_area", patterns=_series("HC", digits=(5,)),
        layouts=_BOTH, colours=_OWNERS, weight=0.05,
    ),
    PlateFormat(
        format_id="army_company", patterns=_series("KT", digits=(4, 5)),
        layouts=_BOTH, colours=_OWNERS, weight=0.05,
    ),
    PlateFormat(
        format_id="legacy_special",
        patterns=(
            *_series("MK", "TD", "LD", "DA", "MD", "R", "CT", "LB", digits=(4, 5)),
            *tuple(("M", "D", ORDINALS, *_digits(n)) for n in (4, 5)),
        ),
        layouts=_BOTH, colours=_OWNERS, weight=0.1,
    ),
    PlateFormat(
        format_id="foreign_car",
        patterns=tuple((*_digits(3), *kind, *_digits(2)) for kind in _FOREIGN),
        layouts=_BOTH, colours=_WHITE, weight=0.05,
    ),
    # Order of the characters on plates issued before TT 79/2024, as photographed.
    PlateFormat(
        format_id="foreign_car_old",
        patterns=tuple((*kind, *_digits(5)) for kind in _FOREIGN),
        layouts=_BOTH, colours=_WHITE, weight=0.05,
    ),
    PlateFormat(
        format_id="foreign_moto",
        patterns=tuple((*_digits(3), *kind, *_digits(3)) for kind in _FOREIGN),
        layouts=_TWO, colours=_WHITE, weight=0.05,
    ),
    PlateFormat(
        format_id="temporary", prefix="T",
        patterns=tuple(_digits(n) for n in (4, 5, 6)),
        layouts=_BOTH, colours=_WHITE, weight=0.03,
    ),
    PlateFormat(
        format_id="military", has_province=False,
        patterns=((LETTERS, LETTERS, *_digits(4)),),
        layouts=_BOTH, colours=frozenset({PlateColour.RED}), weight=1.0,
    ),
)  # fmt: skip
