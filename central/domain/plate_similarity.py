# SPDX-License-Identifier: AGPL-3.0-or-later
"""How easily one plate is read for another: an edit distance that knows which characters are alike.

A network that errs takes ``8`` for ``B`` far more often than for ``L``, and loses a character at an
end more often than it invents one; so those steps cost less.
"""

from itertools import combinations, product
from typing import Final

from central.domain.plate_confusion import fold, has_unfolded_likeness, look_alikes
from central.domain.plates import ANY_CHARACTERS, ONE_CHARACTER, PlatePattern

CONFUSABLE_COST: Final = 0.3
"""Taking a character for one that looks like it. Higher: fewer readings count as similar."""

SUBSTITUTION_COST: Final = 1.0
LENGTH_COST: Final = 0.8
"""A character too much or too few."""

LOOK_ALIKES_MAX: Final = 2
"""Characters of one plate that may be misread at a time. Higher: thousands of texts to look for,
and most of them other vehicles'."""

ALIKE_DISTANCE_MAX: Final = LOOK_ALIKES_MAX * CONFUSABLE_COST + 0.01
"""A plate further than this from the one sought is another vehicle's."""

KNOWN_FOR_ONE_MORE_MIN: Final = 5
"""Characters that a pattern must name before one of them may be a digit taken for another digit:
with fewer, what is left is no help to an index, and half of all plates would fit."""


def reading_distance(one: str, other: str) -> float:
    """Cost of turning one plate into another: 0 for the same, symmetric, at most their lengths.

    Args:
        one: Plate without separators.
        other: The same.
    """
    above = [place * LENGTH_COST for place in range(len(other) + 1)]
    for number, character in enumerate(one, start=1):
        row = [number * LENGTH_COST]
        for place, wanted in enumerate(other, start=1):
            row.append(
                min(
                    above[place] + LENGTH_COST,
                    row[place - 1] + LENGTH_COST,
                    above[place - 1] + _step(character, wanted),
                )
            )
        above = row
    return above[-1]


def pattern_distance(pattern: PlatePattern, plate_text: str) -> float | None:
    """Cost of taking a plate for one that fits a pattern: 0 when it does fit.

    A question mark takes any character and a star any number of them, at no cost; nothing else may
    be too much or too few.

    Returns:
        The cheapest way, or ``None`` when the lengths allow none.
    """
    impossible = float("inf")
    above = [0.0] + [impossible] * len(plate_text)
    for sign in pattern.text:
        if sign == ANY_CHARACTERS:
            row = [above[0]]
            for cost in above[1:]:
                row.append(min(cost, row[-1]))  # each looks at the one before
        else:
            steps = zip(above, plate_text, strict=False)
            row = [
                impossible,
                *(
                    cost if sign == ONE_CHARACTER else cost + _step(sign, character)
                    for cost, character in steps
                ),
            ]
        above = row
    return above[-1] if above[-1] < impossible else None


def folded_pattern(pattern: PlatePattern) -> PlatePattern:
    """A pattern that the folded key of every plate fits which fits the pattern itself."""
    return PlatePattern(text=fold(pattern.text))


def alike_patterns(pattern: PlatePattern) -> tuple[str, ...]:
    """LIKE patterns of folded keys, of which one fits every plate that may be meant.

    The first forgets all differences that the folded key forgets. The others leave out one
    character that is taken for another which the key keeps apart, as ``3`` and ``8``.
    """
    folded = folded_pattern(pattern)
    signs = pattern.text
    if pattern.known_characters < KNOWN_FOR_ONE_MORE_MIN:
        return (folded.like,)
    others = (
        PlatePattern(text=folded.text[:place] + ONE_CHARACTER + folded.text[place + 1 :]).like
        for place, sign in enumerate(signs)
        if has_unfolded_likeness(sign)
    )
    return (folded.like, *others)


def alike_texts(plate_text: str) -> tuple[str, ...]:
    """Every text that a whole plate is read for with two wrong characters at most, itself first.

    A few hundred texts are found faster by their index than one pattern is, however many passages
    there are.
    """
    texts = {plate_text: None}
    for count in range(1, LOOK_ALIKES_MAX + 1):
        for places in combinations(range(len(plate_text)), count):
            for others in product(*(sorted(look_alikes(plate_text[place])) for place in places)):
                signs = list(plate_text)
                for place, other in zip(places, others, strict=True):
                    signs[place] = other
                texts["".join(signs)] = None
    return tuple(texts)


def _step(character: str, wanted: str) -> float:
    """Cost of taking one character for another."""
    if character == wanted:
        return 0.0
    return CONFUSABLE_COST if wanted in look_alikes(character) else SUBSTITUTION_COST
