# SPDX-License-Identifier: AGPL-3.0-or-later
"""How easily one plate is read for another: an edit distance that knows which characters are alike.

A network that errs takes ``8`` for ``B`` far more often than for ``L``, and loses a character at an
end more often than it invents one; so those steps cost less.
"""

from itertools import combinations
from typing import Final

CONFUSABLE_GROUPS: Final = (
    *("0ODQ", "1ILJ", "2Z", "4A", "5S", "6G", "7TY", "8B", "3B", "9P", "CG", "DU", "EF", "HK"),
    *("HMN", "PF", "UV", "VY", "XK", "PR", "38"),
)
"""Characters that look alike on plates; those of the reader's own table."""

CONFUSABLE_COST: Final = 0.3
"""Taking a character for one that looks like it. Higher: fewer readings count as similar."""

SUBSTITUTION_COST: Final = 1.0
LENGTH_COST: Final = 0.8
"""A character too much or too few."""

_ALIKE: Final = frozenset(
    pair
    for group in CONFUSABLE_GROUPS
    for a, b in combinations(group, 2)
    for pair in (a + b, b + a)
)


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


def _step(character: str, wanted: str) -> float:
    """Cost of taking one character for another."""
    if character == wanted:
        return 0.0
    return CONFUSABLE_COST if character + wanted in _ALIKE else SUBSTITUTION_COST
