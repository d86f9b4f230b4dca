# SPDX-License-Identifier: AGPL-3.0-or-later
"""Places in lists of incidents as text: whether the row is open, then its time and id."""

from typing import Final

from api.deps.cursors import CURSOR_LENGTH, parse_place, place_text
from central.incidents.types import IncidentCursor

PLACE_PATTERN: Final = rf"^[oe][A-Za-z0-9_=-]{{{CURSOR_LENGTH}}}$"
_OPEN, _ENDED = "o", "e"


def incident_place(cursor: IncidentCursor) -> str:
    """A place for a URL or a JSON answer."""
    first = _OPEN if cursor.is_open else _ENDED
    return first + place_text(cursor.began_at, cursor.incident_id)


def parse_incident_place(text: str) -> IncidentCursor:
    """Read a place back.

    Raises:
        CursorInvalidError: It was not made here.
    """
    began_at, incident_id = parse_place(text[1:])
    return IncidentCursor(
        is_open=text.startswith(_OPEN), began_at=began_at, incident_id=incident_id
    )
