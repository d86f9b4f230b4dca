# SPDX-License-Identifier: AGPL-3.0-or-later
"""Turns a planned vehicle into something that can be painted: body, colours and plate."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from models.datasets.synth.plates import PlateSpec, render_plate_of_today
from models.datasets.synth.road.cars import make_car
from models.datasets.synth.road.heavy import make_bus, make_truck
from models.datasets.synth.road.model import VehicleModel
from models.datasets.synth.road.motorcycle import make_motorcycle
from models.datasets.synth.road.paint import Colour
from models.datasets.synth.road.plan import Heading, PlannedVehicle
from models.datasets.synth.road.space import Face, make_face, upright_at
from models.runtime.values import PlateColour, PlateLayout, VehicleClass

PLATE_PX_PER_M: Final = 640.0
CAR_ONE_LINE_M: Final = (0.52, 0.11)
CAR_TWO_LINE_M: Final = (0.33, 0.165)
MOTORBIKE_M: Final = (0.19, 0.14)

CAR_PAINTS: Final[tuple[Colour, ...]] = (
    (226, 226, 224), (190, 188, 184), (52, 50, 48), (110, 106, 102), (36, 34, 150),
    (128, 70, 30), (70, 62, 90), (196, 206, 210), (88, 96, 60), (40, 88, 140),
)  # fmt: skip
TAXI_PAINTS: Final[tuple[Colour, ...]] = ((226, 226, 224), (96, 150, 40), (40, 186, 232))
CAB_PAINTS: Final[tuple[Colour, ...]] = (
    (214, 212, 208),
    (150, 84, 34),
    (44, 42, 160),
    (60, 130, 90),
)
CARGO_PAINTS: Final[tuple[Colour, ...]] = (
    (206, 204, 200),
    (160, 110, 60),
    (120, 140, 150),
    (90, 130, 80),
)
BUS_PAINTS: Final[tuple[tuple[Colour, Colour], ...]] = (
    ((222, 222, 220), (44, 60, 190)),
    ((60, 130, 226), (226, 226, 226)),
    ((190, 150, 60), (230, 230, 230)),
)  # fmt: skip
ROUTES: Final = ("HA NOI", "DA NANG", "CAN THO", "HUE - VINH", "DA LAT")
SCOOTER_PAINTS: Final[tuple[Colour, ...]] = (
    (46, 44, 42),
    (40, 36, 168),
    (150, 84, 30),
    (216, 216, 214),
)
JACKETS: Final[tuple[Colour, ...]] = (
    (60, 58, 120),
    (120, 96, 50),
    (84, 84, 84),
    (60, 110, 70),
    (50, 140, 200),
)
PONCHOS: Final[tuple[Colour, ...]] = ((190, 120, 60), (160, 90, 170), (70, 160, 200))
HELMETS: Final[tuple[Colour, ...]] = (
    (214, 214, 214),
    (40, 40, 180),
    (60, 58, 56),
    (170, 120, 60),
    (70, 190, 220),
)
ARMY_GREEN: Final[Colour] = (52, 74, 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A planned vehicle ready to be painted; the plate is apart so that its corners are exact."""

    planned: PlannedVehicle
    model: VehicleModel
    plate_face: Face


def make_actor(planned: PlannedVehicle, *, rng: Generator, is_wet: bool) -> Actor:
    """Build a vehicle and screw its plate on.

    Args:
        planned: What it is.
        rng: Wear of the plate; the body's look comes from ``planned.look_seed``.
        is_wet: Whether a motorcyclist wears a poncho.
    """
    look = np.random.default_rng(planned.look_seed)
    model = _body(planned, look, is_wet=is_wet)
    return Actor(planned=planned, model=model, plate_face=_plate_face(planned.plate, model, rng))


def plate_size_m(spec: PlateSpec) -> tuple[float, float]:
    """Width and height of a plate, TT 79/2024/TT-BCA Art. 37."""
    if spec.is_motorbike:
        return MOTORBIKE_M
    return CAR_ONE_LINE_M if spec.layout is PlateLayout.ONE_LINE else CAR_TWO_LINE_M


def _plate_face(spec: PlateSpec, model: VehicleModel, rng: Generator) -> Face:
    width_m, height_m = plate_size_m(spec)
    image = render_plate_of_today(spec, height_px=round(height_m * PLATE_PX_PER_M), rng=rng)
    mask = np.full(image.shape[:2], 255, np.uint8)
    x_m, y_m, z_m = model.plate.centre_m
    corners = upright_at(x_m=x_m, y_m=y_m, z_m=z_m, width_m=width_m, height_m=height_m)
    return make_face(image, mask, corners)


def _pick(rng: Generator, paints: tuple[Colour, ...]) -> Colour:
    return paints[int(rng.integers(len(paints)))]


def _body(planned: PlannedVehicle, look: Generator, *, is_wet: bool) -> VehicleModel:
    is_front = planned.heading is Heading.APPROACHING
    side = 1 if planned.x_m < 0 else -1
    is_army = planned.plate.colour is PlateColour.RED
    is_trade = planned.plate.colour is PlateColour.YELLOW
    match planned.vehicle_class:
        case VehicleClass.TRUCK:
            cab = ARMY_GREEN if is_army else _pick(look, CAB_PAINTS)
            cargo = ARMY_GREEN if is_army else _pick(look, CARGO_PAINTS)
            return make_truck(cab=cab, cargo=cargo, is_front=is_front, side=side)
        case VehicleClass.BUS:
            body, stripe = BUS_PAINTS[int(look.integers(len(BUS_PAINTS)))]
            route = ROUTES[int(look.integers(len(ROUTES)))]
            return make_bus(body=body, stripe=stripe, route=route, is_front=is_front, side=side)
        case VehicleClass.MOTORCYCLE:
            return make_motorcycle(
                paint=_pick(look, SCOOTER_PAINTS),
                jacket=_pick(look, PONCHOS if is_wet else JACKETS),
                helmet=_pick(look, HELMETS),
                is_front=is_front,
                has_poncho=is_wet,
            )
        case VehicleClass.CAR:
            body = ARMY_GREEN if is_army else _pick(look, TAXI_PAINTS if is_trade else CAR_PAINTS)
            is_tall = is_army or bool(look.random() < 0.45)  # noqa: PLR2004 - share of tall cars
            return make_car(
                body=body, is_tall=is_tall, is_front=is_front, is_taxi=is_trade, side=side
            )
