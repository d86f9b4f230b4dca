# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens on the rendered road, and when: the plan of a clip and the truth about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.random import Generator

from models.datasets.synth.plates import PlateSpec, random_plate_spec
from models.datasets.synth.road.backdrop import LINE_Z_M
from models.datasets.synth.road.light import Weather
from models.datasets.synth.road.space import Lens
from models.runtime.values import BoxPx, PlateColour, PlateLayout, VehicleClass

LENS: Final = Lens(width_px=1280, height_px=720, focal_px=1450.0, horizon_px=178.0, height_m=2.6)
FRAMES_PER_S: Final = 12
FAR_Z_M: Final = 50.0
"""Vehicles come into being and vanish here, a few pixels high."""

SPEED_M_S: Final = 3.1
TIME_STEP_S: Final = 1e-3
SWAY_S: Final = 0.9
SWAY_PERIOD_S: Final = 19.0
TAIL_S: Final = 4.0
LANE_MIDDLE_M: Final = 1.85
DAY: Final = Weather(rain=0.0, night=0.0)
RAIN: Final = Weather(rain=1.0, night=0.0)
NIGHT: Final = Weather(rain=0.0, night=1.0)

LENGTHS_M: Final = {
    VehicleClass.CAR: 4.6,
    VehicleClass.MOTORCYCLE: 1.9,
    VehicleClass.BUS: 10.5,
    VehicleClass.TRUCK: 7.0,
}

TALL: Final = frozenset({VehicleClass.BUS, VehicleClass.TRUCK})
BEHIND_TALL_M: Final = 10.0
"""Gap behind a vehicle that the camera can't see over; less hides the next plate for too long."""


class Heading(StrEnum):
    """Which way a vehicle drives; its end that the camera sees follows from it."""

    APPROACHING = "approaching"
    LEAVING = "leaving"


CLEARANCES_M: Final = {
    Heading.APPROACHING: (6.0, 7.5, 9.0),
    Heading.LEAVING: (7.5, 9.0, 11.0),
}
"""Gaps between vehicles, from close to relaxed; a leaving one is soon hidden by its follower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedVehicle:
    """One vehicle of a clip.

    Attributes:
        number: 1, 2, 3 … in the order in which they pass the line.
        x_m: Middle of the vehicle, to the right of the camera.
        line_s: Time of the clip at which its near end is over the line.
        look_seed: Decides colours and body.
    """

    number: int
    vehicle_class: VehicleClass
    plate: PlateSpec
    heading: Heading
    x_m: float
    line_s: float
    look_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherKey:
    """The weather at one moment; between two keys it changes evenly."""

    at_s: float
    weather: Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePlan:
    """Everything that is fixed before a clip is rendered.

    Attributes:
        seed: Decides road texture, grain and rain.
        vehicles: In the order of ``number``.
        weather: In the order of time, at least one.
    """

    lens: Lens
    frames_per_s: int
    frame_count: int
    seed: int
    vehicles: tuple[PlannedVehicle, ...]
    weather: tuple[WeatherKey, ...]

    def __post_init__(self) -> None:
        """Refuse a plan without frames or weather."""
        if self.frame_count < 1 or self.frames_per_s < 1 or not self.weather:
            raise ValueError("a plan needs frames, a frame rate and weather")

    @property
    def duration_s(self) -> float:
        """Length of the clip."""
        return self.frame_count / self.frames_per_s

    def weather_at(self, at_s: float) -> Weather:
        """Weather at a time of the clip."""
        times = [key.at_s for key in self.weather]
        return Weather(
            rain=float(np.interp(at_s, times, [key.weather.rain for key in self.weather])),
            night=float(np.interp(at_s, times, [key.weather.night for key in self.weather])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSight:
    """Where a plate is in one frame, hidden or not."""

    frame: int
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleTruth:
    """What is known about one vehicle of a rendered clip.

    Attributes:
        first_frame: First frame in which its plate is large enough to be read by eye.
        line_frame: Frame nearest to the moment at which its near end is over the line.
        last_frame: Last frame in which its plate is whole, large enough and not hidden.
        readable_frames: Number of such frames.
        sights: Every frame in which its plate lies whole within the picture.
    """

    number: int
    vehicle_class: VehicleClass
    heading: Heading
    plate_text: str
    plate_layout: PlateLayout
    plate_colour: PlateColour
    first_frame: int
    line_frame: int
    last_frame: int
    readable_frames: int
    sights: tuple[PlateSight, ...]


def travelled_m(at_s: float) -> float:
    """How far the traffic has moved since the beginning; everyone keeps the same pace."""
    return SPEED_M_S * (at_s + SWAY_S * float(np.sin(2 * np.pi * at_s / SWAY_PERIOD_S)))


def near_end_z_m(vehicle: PlannedVehicle, at_s: float) -> float:
    """Depth of the end of a vehicle that the camera sees; negative behind the camera."""
    moved_m = travelled_m(at_s) - travelled_m(vehicle.line_s)
    return LINE_Z_M + (moved_m if vehicle.heading is Heading.LEAVING else -moved_m)


def demo_plan(*, vehicle_count: int, seed: int, lens: Lens = LENS) -> ScenePlan:
    """A clip for the demonstration: day, then rain, then night.

    Args:
        vehicle_count: Vehicles with plates, at least 1; two dozen take about a minute.
        seed: Decides everything that is drawn by chance.
        lens: Camera.

    Raises:
        ValueError: ``vehicle_count`` is below 1.
    """
    if vehicle_count < 1:
        raise ValueError(f"a clip needs a vehicle, got {vehicle_count}")
    rng = np.random.default_rng(seed)
    vehicles = _numbered(_traffic(vehicle_count, rng))
    end_s = max(vehicle.line_s for vehicle in vehicles) + TAIL_S
    keys = ((0.0, DAY), (0.36, DAY), (0.41, RAIN), (0.66, RAIN), (0.71, NIGHT), (1.0, NIGHT))
    return ScenePlan(
        lens=lens,
        frames_per_s=FRAMES_PER_S,
        frame_count=round(end_s * FRAMES_PER_S),
        seed=seed,
        vehicles=vehicles,
        weather=tuple(WeatherKey(at_s=share * end_s, weather=weather) for share, weather in keys),
    )


_APPROACHING: Final = (
    (VehicleClass.CAR, "car_private_5"),
    (VehicleClass.TRUCK, "car_business_5"),
    (VehicleClass.CAR, "car_state_5"),
    (VehicleClass.CAR, "car_business_5"),
    (VehicleClass.BUS, "car_business_5"),
    (VehicleClass.CAR, "foreign_car"),
    (VehicleClass.CAR, "car_private_5"),
    (VehicleClass.TRUCK, "military"),
    (VehicleClass.CAR, "car_old_4"),
    (VehicleClass.CAR, "car_private_5"),
    (VehicleClass.TRUCK, "car_private_5"),
    (VehicleClass.CAR, "military"),
)
_LEAVING: Final = (
    (VehicleClass.MOTORCYCLE, "moto_private_new"),
    (VehicleClass.CAR, "car_private_5"),
    (VehicleClass.TRUCK, "car_business_5"),
    (VehicleClass.MOTORCYCLE, "moto_private_old"),
    (VehicleClass.CAR, "car_business_5"),
    (VehicleClass.MOTORCYCLE, "moto_state"),
    (VehicleClass.BUS, "car_business_5"),
    (VehicleClass.CAR, "car_private_5"),
    (VehicleClass.MOTORCYCLE, "moto_private_new"),
    (VehicleClass.TRUCK, "car_old_4"),
    (VehicleClass.MOTORCYCLE, "moto_private_old"),
    (VehicleClass.CAR, "car_state_5"),
)
"""Families in turn, so that every layout and colour is shown; motorcycles bear rear plates only."""


def _traffic(count: int, rng: Generator) -> list[PlannedVehicle]:
    """Vehicles of both lanes, not yet numbered."""
    approaching = _lane(_APPROACHING, (count + 1) // 2, Heading.APPROACHING, rng)
    leaving = _lane(_LEAVING, count // 2, Heading.LEAVING, rng)
    return approaching + leaving


def _lane(
    families: Sequence[tuple[VehicleClass, str]], count: int, heading: Heading, rng: Generator
) -> list[PlannedVehicle]:
    """Vehicles of one lane with gaps between a close follower's and a relaxed driver's."""
    vehicles: list[PlannedVehicle] = []
    line_s = 3.6 if heading is Heading.APPROACHING else 2.4
    for index in range(count):
        vehicle_class, format_id = families[index % len(families)]
        clearance_m = float(rng.choice(CLEARANCES_M[heading]))
        if vehicles:
            behind = vehicles[-1].vehicle_class if heading is Heading.APPROACHING else vehicle_class
            if heading is Heading.APPROACHING and behind in TALL:
                clearance_m = max(clearance_m, BEHIND_TALL_M)
            line_s = time_after_s(line_s, distance_m=LENGTHS_M[behind] + clearance_m)
        vehicles.append(
            PlannedVehicle(
                number=index + 1,
                vehicle_class=vehicle_class,
                plate=random_plate_spec(rng, format_id=format_id),
                heading=heading,
                x_m=_place_in_lane(vehicle_class, heading, rng),
                line_s=line_s,
                look_seed=int(rng.integers(2**31)),
            )
        )
    return vehicles


def time_after_s(start_s: float, *, distance_m: float) -> float:
    """Time at which the traffic has moved on by a distance; its pace is never zero."""
    low_s, high_s = start_s, start_s + 2 * distance_m / SPEED_M_S
    goal_m = travelled_m(start_s) + distance_m
    while high_s - low_s > TIME_STEP_S:
        middle_s = (low_s + high_s) / 2
        if travelled_m(middle_s) < goal_m:
            low_s = middle_s
        else:
            high_s = middle_s
    return high_s


def _place_in_lane(vehicle_class: VehicleClass, heading: Heading, rng: Generator) -> float:
    """Where a driver keeps in the lane; motorcycles wander more, wide vehicles less."""
    spread = {VehicleClass.MOTORCYCLE: 0.35, VehicleClass.CAR: 0.2}.get(vehicle_class, 0.1)
    x_m = LANE_MIDDLE_M + float(rng.uniform(-spread, spread))
    if vehicle_class is VehicleClass.MOTORCYCLE:
        x_m -= 0.25
    return x_m if heading is Heading.LEAVING else -x_m


def _numbered(vehicles: list[PlannedVehicle]) -> tuple[PlannedVehicle, ...]:
    """Vehicles in the order in which they pass the line."""
    ordered = sorted(vehicles, key=lambda vehicle: vehicle.line_s)
    return tuple(
        PlannedVehicle(
            number=number,
            vehicle_class=vehicle.vehicle_class,
            plate=vehicle.plate,
            heading=vehicle.heading,
            x_m=vehicle.x_m,
            line_s=vehicle.line_s,
            look_seed=vehicle.look_seed,
        )
        for number, vehicle in enumerate(ordered, start=1)
    )
