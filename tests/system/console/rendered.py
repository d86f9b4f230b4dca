# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of passages as a camera would have taken them, drawn by the project's own renderer."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from central.contracts.passage import (
    EvidenceKind,
    PlateColour,
    PlateLayout,
    VehicleClass,
)
from models.datasets.synth.plates import PlateSpec
from models.datasets.synth.road.fleet import make_actor
from models.datasets.synth.road.light import Weather
from models.datasets.synth.road.plan import LANE_MIDDLE_M, LENS, Heading, PlannedVehicle
from models.datasets.synth.road.render import Placed, Stage, make_stage, plate_box, render_frame
from models.runtime.values import BgrImage
from models.runtime.values import PlateColour as DrawnColour
from models.runtime.values import PlateLayout as DrawnLayout
from models.runtime.values import VehicleClass as DrawnClass

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "30F25658": "car_private_5",
        "20A67890": "car_private_5",
        "20C12345": "car_business_5",
        "29B112345": "moto_private_new",
        "20A00123": "car_state_5",
        "AB1234": "military",
    }
)
"""How the plates of the filled world are made."""

DEPTH_M: Final = 7.5
MARGIN_PX: Final = 6
DAY: Final = Weather(rain=0.0, night=0.0)
SEED: Final = 11


def passage_pictures(
    text: str, colour: PlateColour, layout: PlateLayout, vehicle_class: VehicleClass | None
) -> tuple[tuple[EvidenceKind, bytes], ...]:
    """The scene with this vehicle, and its plate where it has a legible one."""
    stage = _stage()
    if text not in FORMATS:
        return ((EvidenceKind.SCENE, _jpeg(render_frame(stage, [], DAY, rng=_rng()))),)
    plate = PlateSpec(
        text=text,
        layout=DrawnLayout(layout.value),
        colour=DrawnColour(colour.value),
        format_id=FORMATS[text],
    )
    planned = PlannedVehicle(
        number=1,
        vehicle_class=DrawnClass((vehicle_class or VehicleClass.CAR).value),
        plate=plate,
        heading=Heading.LEAVING,  # motorcycles have no plate in front
        x_m=LANE_MIDDLE_M,
        line_s=0.0,
        look_seed=SEED,
    )
    actor = make_actor(planned, rng=_rng(), is_wet=False)
    scene = render_frame(stage, [Placed(actor=actor, z_m=DEPTH_M, step_m=0.0)], DAY, rng=_rng())
    box = plate_box(actor, stage.lens, z_m=DEPTH_M)
    assert box is not None, text
    rows = slice(max(0, int(box.y_min) - MARGIN_PX), int(box.y_max) + MARGIN_PX)
    columns = slice(max(0, int(box.x_min) - MARGIN_PX), int(box.x_max) + MARGIN_PX)
    return ((EvidenceKind.SCENE, _jpeg(scene)), (EvidenceKind.PLATE, _jpeg(scene[rows, columns])))


@lru_cache(maxsize=1)
def _stage() -> Stage:
    """The road; a second of work."""
    return make_stage(LENS, rng=_rng())


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _jpeg(image: BgrImage) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])
