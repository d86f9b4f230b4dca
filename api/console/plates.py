# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a plate's text is set on its plate: dash, dot and lines (TT 79/2024/TT-BCA, Annex 04).

Only for the eye: what fits no known shape is shown as it was read.
"""

import re
from typing import Final

from central.contracts.passage import PlateLayout, VehicleClass

_MILITARY: Final = re.compile(r"([A-Z]{2})(\d{2})(\d{2})")
_FOREIGN: Final = re.compile(r"(\d{2})(\d{3})(NG|QT|CV|NN)(\d{2,3})")
_MOTORCYCLE_MIXED: Final = re.compile(r"(\d{2})([A-Z]\d)(\d{4,5})")
_SERIES: Final = re.compile(r"(\d{2})([A-Z]{1,2})(\d{4,5})")
_CAR_SERIES: Final = frozenset({"CD", "RM", "HC", "KT", "LD", "DA", "MK", "TD", "CT", "LB", "MD"})
_DIGITS_WITH_DOT: Final = 5
_DIGITS_AFTER_DOT: Final = 2


def plate_lines(
    text: str, *, layout: PlateLayout | None, vehicle_class: VehicleClass | None
) -> tuple[str, ...]:
    """Lines of a plate as they stand on it, top first: one or two, none for an empty text."""
    if not text:
        return ()
    parts = _parts(text, layout=layout, vehicle_class=vehicle_class)
    if parts is None:
        return (text,)
    head, tail = parts
    if layout is PlateLayout.TWO_LINE:
        return (head, tail)
    return (f"{head}-{tail}",)


def _parts(
    text: str, *, layout: PlateLayout | None, vehicle_class: VehicleClass | None
) -> tuple[str, str] | None:
    """What stands before and after the line break, or the dash of a one-line plate."""
    is_two_line = layout is PlateLayout.TWO_LINE
    if match := _MILITARY.fullmatch(text):
        return match[1], f"{match[2]}-{match[3]}"
    if match := _FOREIGN.fullmatch(text):
        return f"{match[1]}-{match[2]}", f"{match[3]}-{match[4]}"
    series = _SERIES.fullmatch(text)
    mixed = _MOTORCYCLE_MIXED.fullmatch(text)
    is_motorcycle = vehicle_class is VehicleClass.MOTORCYCLE
    if mixed and (series is None or (is_two_line and is_motorcycle)):
        return f"{mixed[1]}-{mixed[2]}", _dotted(mixed[3])
    if series:
        is_motorcycle_series = len(series[2]) > 1 and (
            is_motorcycle or (vehicle_class is None and series[2] not in _CAR_SERIES)
        )
        dash = "-" if is_two_line and is_motorcycle_series else ""
        return f"{series[1]}{dash}{series[2]}", _dotted(series[3])
    return None


def _dotted(digits: str) -> str:
    """Five digits carry a dot before the last two; four carry none."""
    if len(digits) < _DIGITS_WITH_DOT:
        return digits
    return f"{digits[:-_DIGITS_AFTER_DOT]}.{digits[-_DIGITS_AFTER_DOT:]}"
