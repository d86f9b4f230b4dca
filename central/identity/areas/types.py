# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about units and areas."""

from dataclasses import dataclass
from typing import Final

NAME_LENGTH_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An office, station or team.

    Attributes:
        area_ids: Areas of everybody in it who is confined to areas.
        people: How many users belong to it.
    """

    id: str
    name: str
    area_ids: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A named group of sites."""

    id: str
    name: str
    site_ids: tuple[str, ...]
