# SPDX-License-Identifier: AGPL-3.0-or-later
"""A clip of one lane in which chosen vehicles drive up, one after the other, by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.datasets.synth.plates import PlateSpec
from models.datasets.synth.road.plan import (
    DAY,
    FRAMES_PER_S,
    LANE_MIDDLE_M,
    LENGTHS_M,
    LENS,
    TAIL_S,
    Heading,
    PlannedVehicle,
    ScenePlan,
    WeatherKey,
    time_after_s,
)
from models.runtime.values import VehicleClass

FIRST_LINE_S: Final = 4.0
CLEARANCE_M: Final = 16.0
"""Gap between vehicles. Higher makes the clip longer; lower brings their tags closer together."""

SWAY_IN_LANE_M: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneVehicle:
    """A vehicle that shall drive up."""

    vehicle_class: VehicleClass
    plate: PlateSpec


def lane_plan(vehicles: Sequence[LaneVehicle], *, seed: int) -> ScenePlan:
    """A clip in which these vehicles approach in this order.

    Args:
        vehicles: At least one.
        seed: Decides bodies, paint and the place in the lane.

    Raises:
        ValueError: There is no vehicle.
    """
    if not vehicles:
        raise ValueError("a lane needs a vehicle")
    rng = np.random.default_rng(seed)
    planned: list[PlannedVehicle] = []
    line_s = FIRST_LINE_S
    for number, vehicle in enumerate(vehicles, start=1):
        if planned:
            length_m = LENGTHS_M[planned[-1].vehicle_class]
            line_s = time_after_s(line_s, distance_m=length_m + CLEARANCE_M)
        planned.append(
            PlannedVehicle(
                number=number,
                vehicle_class=vehicle.vehicle_class,
                plate=vehicle.plate,
                heading=Heading.APPROACHING,
                x_m=-(LANE_MIDDLE_M + float(rng.uniform(-SWAY_IN_LANE_M, SWAY_IN_LANE_M))),
                line_s=line_s,
                look_seed=int(rng.integers(2**31)),
            )
        )
    return ScenePlan(
        lens=LENS,
        frames_per_s=FRAMES_PER_S,
        frame_count=round((line_s + TAIL_S) * FRAMES_PER_S),
        seed=seed,
        vehicles=tuple(planned),
        weather=(WeatherKey(at_s=0.0, weather=DAY),),
    )
