# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a vehicle of the rendered road is made of, whatever drew it."""

from dataclasses import dataclass

from models.datasets.synth.road.paint import Colour
from models.datasets.synth.road.space import Face
from models.runtime.values import VehicleClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A lamp of a vehicle.

    Attributes:
        place_m: ``x, y, z`` relative to the middle of the near end, at road level.
        radius_m: Radius of its glare in the dark.
        colour: Colour of its glare.
        is_beam: Whether it lights the road in front of it.
    """

    place_m: tuple[float, float, float]
    radius_m: float
    colour: Colour
    is_beam: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateMount:
    """Where the plate is screwed on: ``x, y, z`` of its middle, as in ``Lamp``."""

    centre_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleModel:
    """A vehicle as the camera sees it, standing with its near end at ``z = 0``.

    Attributes:
        faces: In the order in which they are painted: far ones first.
    """

    vehicle_class: VehicleClass
    width_m: float
    height_m: float
    length_m: float
    faces: tuple[Face, ...]
    lamps: tuple[Lamp, ...]
    plate: PlateMount
