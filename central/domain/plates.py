# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a plate is written, and how one searches for a plate that is only partly known."""

import re
from dataclasses import dataclass
from typing import Final, Self

from central.errors import InvalidPlatePatternError

PATTERN_LENGTH_MAX: Final = 24
"""Longest pattern after normalising: twice a plate, since stars take room."""

ONE_CHARACTER: Final = "?"
ANY_CHARACTERS: Final = "*"

_SEPARATORS: Final = re.compile(r"[\s.\-]+")
_TO_D: Final = str.maketrans(dict.fromkeys("\u0110\u0111\u00d0\u00f0", "D"))
"""Đ and đ, and the Icelandic letter that looks the same and is often typed instead."""

_PLATE: Final = re.compile(r"^[A-Z0-9]{1,12}$")
_PATTERN: Final = re.compile(r"^[A-Z0-9?*]+$")
_STARS: Final = re.compile(r"\*+")
_TO_LIKE: Final = str.maketrans({ONE_CHARACTER: "_", ANY_CHARACTERS: "%"})


def normalise_plate_text(text: str) -> str:
    """Write a plate the way the centre stores it: upper case, no separators, Đ as D.

    Does not check that the result is a plate; ``51G-123.45`` becomes ``51G12345``.
    """
    plain = _SEPARATORS.sub("", text).translate(_TO_D)
    # Only ASCII changes its case: other letters may become two of ours ("ß" would be "SS").
    return "".join(sign.upper() if sign.isascii() else sign for sign in plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatePattern:
    """A plate to search for; ``?`` stands for one character, ``*`` for any number of them.

    Attributes:
        text: Normalised pattern without two stars in a row.
    """

    text: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= PATTERN_LENGTH_MAX:
            raise InvalidPlatePatternError(
                f"a plate pattern has 1 to {PATTERN_LENGTH_MAX} characters"
            )
        if _PATTERN.fullmatch(self.text) is None:
            raise InvalidPlatePatternError("a plate pattern has only letters, digits, ? and *")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a person typed: any case, with or without separators.

        Raises:
            InvalidPlatePatternError: It is empty, too long, or holds a foreign character.
        """
        return cls(text=_STARS.sub(ANY_CHARACTERS, normalise_plate_text(text)))

    @property
    def is_exact(self) -> bool:
        """Whether only one text fits."""
        return ONE_CHARACTER not in self.text and ANY_CHARACTERS not in self.text

    @property
    def like(self) -> str:
        """The pattern for SQL's LIKE; nothing needs escaping, as no other sign can be in it."""
        return self.text.translate(_TO_LIKE)

    @property
    def known_characters(self) -> int:
        """How many characters it names."""
        return len(self.text) - self.text.count(ONE_CHARACTER) - self.text.count(ANY_CHARACTERS)

    def fits(self, plate_text: str) -> bool:
        """Whether a stored plate text is one of those searched for."""
        expression = "".join(
            {ONE_CHARACTER: ".", ANY_CHARACTERS: ".*"}.get(sign, sign) for sign in self.text
        )
        return _PLATE.fullmatch(plate_text) is not None and (
            re.fullmatch(expression, plate_text) is not None
        )
