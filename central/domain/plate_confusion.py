# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which characters of plates are taken for each other, and a key that forgets the difference.

Two kinds of confusion need two ways. A letter and a digit that look alike (``0`` and ``D``) share a
class of the folded key: texts that differ only so have the same key, which one index serves. Digits
share no class with each other: six or more of a plate's characters are digits in places where no
letter can stand, and a class such as 3, 8, 9 would make the key blind just there. They are tried
one place at a time instead.

Source: 8,000 plates drawn and photographed by our renderer (all formats, every weather and wear, a
fixed seed), read by the released reader 0.2.0, November 2026, and the pairs that stand in readings
with one or two wrong characters. Letters that no series uses (I, J, O, Q, R, W: TT 79/2024/TT-BCA
Art. 37.5) hardly occur there; they are what people type and what foreign lettering shows, and stand
in the classes of the characters that they are typed for.
"""

from typing import Final

FOLDED_CLASSES: Final = ("0ODQ", "1ILJ", "2Z", "4A", "5S", "6G", "7T", "8B")
"""Characters that the folded key does not tell apart; the digit, which comes first, stands for all.

The database's function ``plate_fold`` says the same. More in a class: more misreadings are found,
and more of other vehicles.
"""

CONFUSABLE_GROUPS: Final = (
    *FOLDED_CLASSES,
    # Measured five times or more in 250 such readings; 5 and 6 lead with 32 of them.
    *("56", "08", "17", "MN", "38", "68", "27", "DU", "89", "18", "1T", "06", "14", "29"),
    # Of the reader's own table (models/runtime/grammar.py), which also knows rarer ones.
    *("3B", "9P", "CG", "EF", "HK", "HMN", "PF", "UV", "VY", "XK", "PR", "TY"),
)
"""Characters that look alike on plates; within a group any may be taken for any other."""

_FOLDING: Final = {
    ord(character): members[0] for members in FOLDED_CLASSES for character in members
}
_LOOK_ALIKES: Final[dict[str, frozenset[str]]] = {
    character: frozenset("".join(group for group in CONFUSABLE_GROUPS if character in group))
    - {character}
    for character in "".join(CONFUSABLE_GROUPS)
}


def fold(text: str) -> str:
    """A plate, or a pattern of one, as the folded key has it.

    A text that fits a pattern fits it folded, too, wherever stars and question marks stand.
    """
    return text.translate(_FOLDING)


def look_alikes(character: str) -> frozenset[str]:
    """Characters that are easily taken for one; those of none are none."""
    return _LOOK_ALIKES.get(character, frozenset())


def has_unfolded_likeness(character: str) -> bool:
    """Whether a character is taken for one that the folded key keeps apart from it."""
    return any(fold(other) != fold(character) for other in look_alikes(character))
