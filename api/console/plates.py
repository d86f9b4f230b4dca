# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a plate is shown: as it hangs on the vehicle, or as it was read where it fits no grammar."""

from collections.abc import Sequence
from typing import Final

from central.contracts.passage import PlateColour, PlateLayout, VehicleClass
from central.domain.plate_grammar import PossiblePlate, format_plate, parse_plate

_MOTORCYCLES: Final = frozenset(
    {"moto_private_new", "moto_private_old", "moto_state", "moped_old", "foreign_moto"}
)


def plate_lines(
    text: str,
    *,
    layout: PlateLayout | None,
    vehicle_class: VehicleClass | None,
    colour: PlateColour | None = None,
) -> tuple[str, ...]:
    """Lines of a plate as they stand on it, top first: one or two, none for an empty text."""
    if not text:
        return ()
    possible = parse_plate(text, colour=colour, layout=layout) or parse_plate(text)
    if not possible or possible[0].text != text:
        return (text,)
    return format_plate(
        _likeliest(possible, vehicle_class), layout if layout is not None else PlateLayout.ONE_LINE
    )


def plate_words(text: str, colour: PlateColour | None = None) -> str:
    """A plate on one line, as people write it: ``30F-256.58``."""
    return " ".join(
        plate_lines(text, layout=PlateLayout.ONE_LINE, vehicle_class=None, colour=colour)
    )


def _likeliest(
    possible: Sequence[PossiblePlate], vehicle_class: VehicleClass | None
) -> PossiblePlate:
    """The kind that fits what the camera saw; the commonest where it saw nothing.

    A series of two letters that cars have as well is read as a car's unless a motorcycle was seen.
    """
    is_motorcycle = vehicle_class is VehicleClass.MOTORCYCLE
    fitting = [each for each in possible if (each.format.id in _MOTORCYCLES) is is_motorcycle]
    return (fitting or possible)[0]
