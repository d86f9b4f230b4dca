# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rendered road shows what its truth says, the same every time, in bounded memory."""

import tracemalloc
from dataclasses import replace
from functools import lru_cache
from itertools import islice, pairwise, repeat
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.datasets.synth.plates import PlateSpec, random_plate_spec, render_plate
from models.datasets.synth.road.lane import LaneVehicle, lane_plan
from models.datasets.synth.road.plan import (
    DAY,
    LENGTHS_M,
    Heading,
    ScenePlan,
    VehicleTruth,
    WeatherKey,
    demo_plan,
    near_end_z_m,
)
from models.datasets.synth.road.space import Lens
from models.datasets.synth.scene import render_clip, scene_truth, training_scene
from models.datasets.synth.scene_video import read_truth, truth_path, write_clip
from models.runtime.values import BgrImage, PlateColour, PlateLayout, VehicleClass

SMALL = Lens(width_px=320, height_px=180, focal_px=340.0, horizon_px=59.0, height_m=1.7)


def frames_of(plan: ScenePlan, count: int) -> list[BgrImage]:
    return list(islice(render_clip(plan, rng=np.random.default_rng(1)), count))


def likeness(picture: BgrImage, expected: BgrImage) -> float:
    """Correlation with the middle of a plate, wherever that fits best: borders and gaps vary."""
    size = (240, round(240 * expected.shape[0] / expected.shape[1]))
    seen, wanted = (
        cv2.GaussianBlur(cv2.cvtColor(cv2.resize(one, size), cv2.COLOR_BGR2GRAY), (0, 0), 2.5)
        for one in (picture, expected)
    )
    height, width = wanted.shape
    middle = wanted[height // 10 : -(height // 10), width // 12 : -(width // 12)]
    return float(cv2.matchTemplate(seen, middle, cv2.TM_CCOEFF_NORMED).max())


def others_like(plate: PlateSpec, count: int) -> list[PlateSpec]:
    """Other plates of the same format in the same layout."""
    rng = np.random.default_rng(1)
    endless = (random_plate_spec(rng, format_id=plate.format_id) for _ in repeat(None))
    alike = (other for other in endless if other.layout is plate.layout)
    return [other for other in islice(alike, count) if other.text != plate.text]


def test_the_true_box_of_a_plate_shows_that_plate() -> None:
    plan = demo_plan(vehicle_count=2, seed=3)
    plan = replace(plan, weather=(WeatherKey(at_s=0.0, weather=DAY),))
    truth = {vehicle.number: vehicle for vehicle in scene_truth(plan)}
    frames = frames_of(plan, plan.frame_count)

    found = {}
    for vehicle in plan.vehicles:
        sight = max(
            (
                sight
                for sight in truth[vehicle.number].sights
                if truth[vehicle.number].first_frame <= sight.frame
            ),
            key=lambda sight: sight.box_px.width,
        )
        box = sight.box_px
        crop = frames[sight.frame][
            round(box.y_min) : round(box.y_max), round(box.x_min) : round(box.x_max)
        ]
        found[vehicle.number] = (
            likeness(crop, render_plate(vehicle.plate, height_px=100)),
            max(
                likeness(crop, render_plate(other, height_px=100))
                for other in others_like(vehicle.plate, 12)
            ),
        )

    assert all(own > max(0.5, another) for own, another in found.values()), found


def test_the_same_plan_gives_the_same_frames_and_another_seed_gives_others() -> None:
    plan = demo_plan(vehicle_count=3, seed=5, lens=SMALL)

    first, second = frames_of(plan, 3), frames_of(plan, 3)
    other = frames_of(demo_plan(vehicle_count=3, seed=6, lens=SMALL), 3)

    assert all(np.array_equal(one, two) for one, two in zip(first, second, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_memory_does_not_grow_with_the_length_of_the_clip() -> None:
    plan = demo_plan(vehicle_count=6, seed=5, lens=SMALL)
    frame_bytes = SMALL.width_px * SMALL.height_px * 3
    frames = render_clip(plan, rng=np.random.default_rng(1))
    tracemalloc.start()
    for _ in islice(frames, 20):
        pass
    after_20 = tracemalloc.get_traced_memory()[0]

    for _ in islice(frames, 60):
        pass
    after_80 = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    # 60 kept frames would be 60 frame sizes; vehicles that come and go hold a few textures.
    assert after_80 - after_20 < 20 * frame_bytes + 12_000_000


@lru_cache
def truth_of(plan: ScenePlan) -> tuple[VehicleTruth, ...]:
    return scene_truth(plan)


@pytest.mark.parametrize("seed", [7, 23])
def test_every_vehicle_can_be_seen_for_a_second_and_passes_the_line_in_order(seed: int) -> None:
    plan = demo_plan(vehicle_count=24, seed=seed)

    truth = truth_of(plan)

    assert [vehicle.number for vehicle in truth] == list(range(1, 25))
    assert all(one.line_frame <= two.line_frame for one, two in pairwise(truth))
    assert all(vehicle.readable_frames >= plan.frames_per_s for vehicle in truth)
    assert all(vehicle.first_frame < vehicle.last_frame < plan.frame_count for vehicle in truth)


@pytest.mark.parametrize("heading", list(Heading))
def test_vehicles_of_a_lane_never_touch(heading: Heading) -> None:
    plan = demo_plan(vehicle_count=24, seed=7)
    lane = [vehicle for vehicle in plan.vehicles if vehicle.heading is heading]

    gaps_m = []
    for at_s in np.linspace(0.0, plan.duration_s, 40):
        for first, second in pairwise(lane):
            near, far = first, second
            if heading is Heading.LEAVING:
                near, far = second, first
            end_m = near_end_z_m(near, float(at_s)) + LENGTHS_M[near.vehicle_class]
            gaps_m.append(near_end_z_m(far, float(at_s)) - end_m)

    assert min(gaps_m) > 4.0


def test_the_demonstration_shows_every_layout_and_colour() -> None:
    truth = truth_of(demo_plan(vehicle_count=24, seed=7))

    assert {vehicle.plate_layout for vehicle in truth} == set(PlateLayout)
    assert {vehicle.plate_colour for vehicle in truth} == set(PlateColour) - {PlateColour.UNKNOWN}


def test_a_written_clip_has_all_frames_and_its_truth_beside_it(tmp_path: Path) -> None:
    plan = demo_plan(vehicle_count=1, seed=2)
    plan = replace(plan, lens=replace(plan.lens, focal_px=900.0), frame_count=45)
    seen: list[int] = []

    truth = write_clip(plan, tmp_path / "road.mp4", on_frame=seen.append)

    with av.open(str(tmp_path / "road.mp4")) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    assert decoded == plan.frame_count
    assert seen == list(range(plan.frame_count))
    assert read_truth(truth_path(tmp_path / "road.mp4")) == truth
    assert sorted(path.name for path in tmp_path.iterdir()) == ["road.mp4", "road.truth.json"]


def test_a_plan_without_vehicles_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a vehicle"):
        demo_plan(vehicle_count=0, seed=1)


def test_training_pictures_have_their_boxes_inside() -> None:
    rng = np.random.default_rng(11)

    pictures = [training_scene(rng) for _ in range(3)]

    boxes = [
        (picture.image.shape, box)
        for picture in pictures
        for box in (*picture.plate_boxes_px, *(vehicle.box_px for vehicle in picture.vehicles))
    ]
    assert boxes
    for (height, width, _), box in boxes:
        assert 0 <= box.x_min < box.x_max <= width
        assert 0 <= box.y_min < box.y_max <= height


def test_chosen_vehicles_drive_up_one_after_the_other() -> None:
    truck = LaneVehicle(
        vehicle_class=VehicleClass.TRUCK,
        plate=PlateSpec(
            text="47C21356",
            layout=PlateLayout.TWO_LINE,
            colour=PlateColour.YELLOW,
            format_id="car_business_5",
        ),
    )
    car = LaneVehicle(
        vehicle_class=VehicleClass.CAR,
        plate=PlateSpec(
            text="47A38162",
            layout=PlateLayout.ONE_LINE,
            colour=PlateColour.WHITE,
            format_id="car_private_5",
        ),
    )

    plan = lane_plan((truck, car), seed=5)

    assert [vehicle.plate.text for vehicle in plan.vehicles] == ["47C21356", "47A38162"]
    seen = scene_truth(plan)
    assert seen[0].last_frame < seen[1].line_frame
    assert all(vehicle.readable_frames >= plan.frames_per_s for vehicle in seen)
    with pytest.raises(ValueError, match="needs a vehicle"):
        lane_plan((), seed=5)
