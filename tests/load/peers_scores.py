# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a general reader's lines mean as a plate, raw and with a filter of Vietnam's formats."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from models.runtime.grammar import is_legal_plate, normalise_plate

MAX_LINES: Final = 6
_LETTER_OF: Final = {"0": "D", "1": "T", "2": "Z", "4": "A", "5": "S", "6": "G", "8": "B"}
_DIGIT_OF: Final = {
    "O": "0", "D": "0", "Q": "0", "U": "0", "I": "1", "L": "1", "T": "1", "J": "1", "Z": "2",
    "A": "4", "S": "5", "G": "6", "C": "6", "B": "8",
}  # fmt: skip
_CODE_LENGTH: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line of text in a crop; ``y_px`` and ``x_px`` are its middle."""

    text: str
    x_px: float
    y_px: float
    height_px: float


def raw_text(lines: Sequence[TextLine]) -> str:
    """All lines joined, from the top and from the left; separators left out, Đ as D."""
    return "".join(normalise_plate(line.text) for line in in_reading_order(lines))


def filtered_text(lines: Sequence[TextLine]) -> str:
    """The raw text, unless some lines of it make a legal plate.

    Longer legal texts go before shorter ones, texts as they are before those
    in which characters that look alike are exchanged for what the place asks for.
    """
    for candidate in _candidates(lines):
        if is_legal_plate(candidate):
            return candidate
    for candidate in _candidates(lines):
        exchanged = _with_lookalikes(candidate)
        if exchanged is not None:
            return exchanged
    return raw_text(lines)


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """Rows from the top, each from the left; a row is what overlaps by half a line's height."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda line: line.y_px):
        if rows and abs(line.y_px - rows[-1][0].y_px) < line.height_px / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.x_px)]


def _candidates(lines: Sequence[TextLine]) -> Iterator[str]:
    texts = [normalise_plate(line.text) for line in in_reading_order(lines)][:MAX_LINES]
    joined = {
        "".join(texts[first:last])
        for first, last in itertools.combinations(range(len(texts) + 1), 2)
    }
    yield from sorted(joined, key=lambda text: (-len(text), text))


def _with_lookalikes(text: str) -> str | None:
    """The text with a digit's and a letter's places made so, when that is legal."""
    digits = "".join(_DIGIT_OF.get(character, character) for character in text)
    for letters in (1, 2):
        series = text[_CODE_LENGTH : _CODE_LENGTH + letters]
        made = (
            digits[:_CODE_LENGTH]
            + "".join(_LETTER_OF.get(character, character) for character in series)
            + digits[_CODE_LENGTH + letters :]
        )
        if is_legal_plate(made):
            return made
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one system made of one picture.

    Attributes:
        text: Text of the plate that it is surest to have found; empty when it
            found none or read nothing.
        is_answered: Whether the system vouches for the text. Peers always do.
        cpu_ms: Time of the processor from the decoded picture to the text.
    """

    text: str
    is_answered: bool
    cpu_ms: float


def median_ms(outcomes: Sequence[Outcome]) -> float:
    """Median time of the processor per picture."""
    return median(outcome.cpu_ms for outcome in outcomes)
