# SPDX-License-Identifier: AGPL-3.0-or-later
"""When two readings are readings of one plate."""

from models.runtime.values import PlateReading


def edit_distance(first: str, second: str) -> int:
    """Levenshtein distance: characters to insert, delete or replace."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        previous, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def is_same_plate(
    first: PlateReading, second: PlateReading, *, distance_max: int, sure_confidence: float
) -> bool:
    """Whether two readings may be of the same plate.

    Args:
        first: One reading.
        second: The other.
        distance_max: Characters by which they may differ while one of them is unsure.
        sure_confidence: Two readings at least this sure must be equal.
    """
    if first.text == second.text:
        return True
    if min(first.confidence, second.confidence) >= sure_confidence:
        return False
    return edit_distance(first.text, second.text) <= distance_max


def contradicts(first: PlateReading, second: PlateReading, *, sure_confidence: float) -> bool:
    """Whether two sure readings can't be of the same plate: they differ in three or more places."""
    return (
        min(first.confidence, second.confidence) >= sure_confidence
        and edit_distance(first.text, second.text) >= CLEAR_DISTANCE
    )


CLEAR_DISTANCE = 3
