# SPDX-License-Identifier: AGPL-3.0-or-later
"""A toll road that renders itself, with known truth: for the demonstration, tests and training.

``render_clip`` yields the frames of a plan one after the other and holds no more than a few of
them; ``scene_truth`` says what a perfect system would report about that clip.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from models.datasets.synth.plates import random_plate_spec
from models.datasets.synth.road.fleet import Actor, make_actor
from models.datasets.synth.road.light import Weather
from models.datasets.synth.road.plan import (
    LANE_MIDDLE_M,
    Heading,
    PlannedVehicle,
    PlateSight,
    ScenePlan,
    VehicleTruth,
    demo_plan,
    near_end_z_m,
)
from models.datasets.synth.road.render import (
    Placed,
    hides,
    is_on_stage,
    is_whole,
    make_stage,
    plate_box,
    render_frame,
    vehicle_box,
)
from models.datasets.synth.road.space import Lens
from models.runtime.values import BgrImage, BoxPx, VehicleClass

__all__ = [
    "LabelledVehicle",
    "RoadPicture",
    "ScenePlan",
    "VehicleTruth",
    "demo_plan",
    "render_clip",
    "scene_truth",
    "training_scene",
]

READABLE_PLATE_PX: Final = 26.0
"""Width from which a plate counts as readable by eye; higher moves truth nearer the camera."""

MIN_LABELLED_PLATE_PX: Final = 12.0
MIN_VISIBLE_SHARE: Final = 0.6
"""Share of a box that must be in the picture and in front of other vehicles for a label."""

FORMATS: Final = {
    VehicleClass.CAR: (
        "car_private_5", "car_business_5", "car_state_5", "car_old_4", "foreign_car", "military",
    ),
    VehicleClass.TRUCK: ("car_private_5", "car_business_5", "military"),
    VehicleClass.BUS: ("car_business_5", "car_private_5"),
    VehicleClass.MOTORCYCLE: ("moto_private_new", "moto_private_old", "moto_state"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledVehicle:
    """A vehicle in a rendered picture."""

    vehicle_class: VehicleClass
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadPicture:
    """One rendered picture with what can be seen in it."""

    image: BgrImage
    plate_boxes_px: tuple[BoxPx, ...]
    vehicles: tuple[LabelledVehicle, ...]


def render_clip(plan: ScenePlan, *, rng: Generator) -> Iterator[BgrImage]:
    """Render a plan, one frame after the other.

    Args:
        plan: What happens; ``plan.seed`` decides the road, the plan's seeds the vehicles.
        rng: Wear of the plates, grain and rain.

    Yields:
        ``plan.frame_count`` new pictures of the lens's size.
    """
    stage = make_stage(plan.lens, rng=np.random.default_rng(plan.seed))
    actors: dict[int, Actor] = {}
    for index in range(plan.frame_count):
        at_s = index / plan.frames_per_s
        weather = plan.weather_at(at_s)
        placed: list[Placed] = []
        for vehicle in plan.vehicles:
            z_m = near_end_z_m(vehicle, at_s)
            if not is_on_stage(z_m):
                actors.pop(vehicle.number, None)
                continue
            if vehicle.number not in actors:
                is_wet = plan.weather_at(vehicle.line_s).rain > 0.5  # noqa: PLR2004 - mostly rain
                actors[vehicle.number] = make_actor(vehicle, rng=rng, is_wet=is_wet)
            step_m = near_end_z_m(vehicle, at_s + 1 / plan.frames_per_s) - z_m
            placed.append(Placed(actor=actors[vehicle.number], z_m=z_m, step_m=step_m))
        yield render_frame(stage, placed, weather, rng=rng)


def scene_truth(plan: ScenePlan) -> tuple[VehicleTruth, ...]:
    """What a perfect system reports about a clip, in the order of the vehicles' numbers.

    Raises:
        ValueError: A plate is never to be seen, so that nobody could report it.
    """
    actors = [
        make_actor(vehicle, rng=np.random.default_rng(vehicle.look_seed), is_wet=False)
        for vehicle in plan.vehicles
    ]
    readable: dict[int, list[int]] = {vehicle.number: [] for vehicle in plan.vehicles}
    sights: dict[int, list[PlateSight]] = {vehicle.number: [] for vehicle in plan.vehicles}
    for index in range(plan.frame_count):
        for sight, number, is_readable in _plates_at(plan, actors, frame=index):
            sights[number].append(sight)
            if is_readable:
                readable[number].append(index)
    return tuple(
        _truth(plan, vehicle, readable[vehicle.number], sights[vehicle.number])
        for vehicle in plan.vehicles
    )


def _plates_at(
    plan: ScenePlan, actors: Sequence[Actor], *, frame: int
) -> Iterator[tuple[PlateSight, int, bool]]:
    """Plates in one frame, the number of their vehicle, and whether they can be read by eye."""
    at_s = frame / plan.frames_per_s
    placed = [
        Placed(actor=actor, z_m=near_end_z_m(actor.planned, at_s), step_m=0.0) for actor in actors
    ]
    on_stage = [one for one in placed if is_on_stage(one.z_m)]
    for one in on_stage:
        box = plate_box(one.actor, plan.lens, z_m=one.z_m)
        if box is None or not is_whole(box, plan.lens):
            continue
        nearer = (other for other in on_stage if other.z_m < one.z_m)
        is_readable = box.width >= READABLE_PLATE_PX and not any(
            hides(other, box, plan.lens) for other in nearer
        )
        yield PlateSight(frame=frame, box_px=box), one.actor.planned.number, is_readable


def _truth(
    plan: ScenePlan,
    vehicle: PlannedVehicle,
    readable: Sequence[int],
    sights: Sequence[PlateSight],
) -> VehicleTruth:
    """The truth about one vehicle whose plate is readable in some frames."""
    if not readable:
        raise ValueError(f"the plate of vehicle {vehicle.number} is never to be seen")
    return VehicleTruth(
        number=vehicle.number,
        vehicle_class=vehicle.vehicle_class,
        heading=vehicle.heading,
        plate_text=vehicle.plate.text,
        plate_layout=vehicle.plate.layout,
        plate_colour=vehicle.plate.colour,
        first_frame=readable[0],
        line_frame=round(vehicle.line_s * plan.frames_per_s),
        last_frame=readable[-1],
        readable_frames=len(readable),
        sights=tuple(sights),
    )


def training_scene(rng: Generator) -> RoadPicture:
    """A picture of a random moment on a random road, with its boxes, to train detectors on.

    Args:
        rng: Decides everything.
    """
    lens = Lens(
        width_px=960,
        height_px=600,
        focal_px=float(rng.uniform(700, 1250)),
        horizon_px=float(rng.uniform(60, 260)),
        height_m=float(rng.uniform(1.2, 3.4)),
    )
    weather = Weather(
        rain=float(rng.choice([0, 0, 1, rng.random()])),
        night=float(rng.choice([0, 0, 1, rng.random()])),
    )
    stage = make_stage(lens, rng=rng)
    placed = []
    for heading in Heading:
        z_m = float(rng.uniform(2.5, 9.0))
        for _ in range(int(rng.integers(0, 3))):
            side = 1 if heading is Heading.LEAVING else -1
            x_m = side * (LANE_MIDDLE_M + float(rng.uniform(-0.7, 0.6)))
            placed.append(_random_placed(heading, x_m=x_m, z_m=z_m, rng=rng))
            z_m += float(rng.uniform(9.0, 20.0))
    image = render_frame(stage, placed, weather, rng=rng)
    plates, vehicles = _labels(placed, lens)
    return RoadPicture(image=image, plate_boxes_px=tuple(plates), vehicles=tuple(vehicles))


def _random_placed(heading: Heading, *, x_m: float, z_m: float, rng: Generator) -> Placed:
    """A vehicle of any class at a given place."""
    vehicle_class = list(VehicleClass)[int(rng.choice(4, p=[0.4, 0.35, 0.1, 0.15]))]
    families = FORMATS[vehicle_class]
    # Plates have their own randomness: a new way of drawing them leaves the roads as they are.
    plate_rng = np.random.default_rng(int(rng.integers(2**31)))
    planned = PlannedVehicle(
        number=1,
        vehicle_class=vehicle_class,
        plate=random_plate_spec(plate_rng, format_id=families[int(rng.integers(len(families)))]),
        heading=heading,
        x_m=x_m,
        line_s=0.0,
        look_seed=int(rng.integers(2**31)),
    )
    actor = make_actor(planned, rng=plate_rng, is_wet=bool(rng.random() < 0.3))  # noqa: PLR2004 - share
    step_m = float(rng.uniform(0.05, 0.6))
    return Placed(actor=actor, z_m=z_m, step_m=step_m if heading is Heading.LEAVING else -step_m)


def _hidden_share(box: BoxPx, hiding: Sequence[BoxPx]) -> float:
    """Largest share of a box that one of others covers."""
    area = max(box.width * box.height, 1e-6)
    shares = [
        max(0.0, min(box.x_max, other.x_max) - max(box.x_min, other.x_min))
        * max(0.0, min(box.y_max, other.y_max) - max(box.y_min, other.y_min))
        / area
        for other in hiding
    ]
    return max(shares, default=0.0)


def _labels(placed: Sequence[Placed], lens: Lens) -> tuple[list[BoxPx], list[LabelledVehicle]]:
    """Boxes of plates and vehicles that can be seen well enough."""
    plates: list[BoxPx] = []
    vehicles: list[LabelledVehicle] = []
    nearer: list[BoxPx] = []
    for one in sorted(placed, key=lambda one: one.z_m):
        box = vehicle_box(one, lens)
        if box is None:
            continue
        if _hidden_share(box, nearer) < 1 - MIN_VISIBLE_SHARE:
            vehicle_class = one.actor.planned.vehicle_class
            vehicles.append(LabelledVehicle(vehicle_class=vehicle_class, box_px=box))
        plate = plate_box(one.actor, lens, z_m=one.z_m)
        if plate is not None and plate.width >= MIN_LABELLED_PLATE_PX:
            seen = plate.clipped(width=lens.width_px, height=lens.height_px)
            share = seen.width * seen.height / (plate.width * plate.height)
            if share > MIN_VISIBLE_SHARE and _hidden_share(plate, nearer) < 1 - MIN_VISIBLE_SHARE:
                plates.append(seen)
        nearer.append(box)
    return plates, vehicles
