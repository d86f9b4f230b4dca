# SPDX-License-Identifier: AGPL-3.0-or-later
"""The gate of ``make eval-gate`` passes for the released models and stops worse ones."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from models.evaluation.frozen.gate import (
    Judgements,
    Verdict,
    compare,
    gate_text,
    judge_plate_detector,
    judge_reader,
    judge_vehicle_detector,
    measure_frozen,
    read_baseline,
)
from models.evaluation.frozen.pictures import (
    FROZEN_FOLDER,
    MAX_TOTAL_BYTES,
    FrozenSet,
    read_frozen,
)
from models.runtime.detector import Detector
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR
from models.runtime.values import BgrImage

DARKER: Final = 40

pytestmark = pytest.mark.vision


@pytest.fixture(scope="module")
def frozen() -> FrozenSet:
    return read_frozen()


def verdicts(frozen: FrozenSet, judgements: Judgements) -> tuple[Verdict, ...]:
    return compare(judgements, read_baseline(), frozen_sha256=frozen.sha256)


@pytest.fixture(scope="module")
def released(frozen: FrozenSet) -> Judgements:
    """The released models on the frozen pictures as they are."""
    return measure_frozen(frozen)


def reader_of_mirrored_plates(frozen: FrozenSet) -> Judgements:
    """What a reader sees that can't cope with something."""
    crops = [replace(one, image=mirrored(one.image)) for one in frozen.crops]
    return judge_reader(PlateReader.open(), crops)


def detectors_of_hardly_lit_scenes(frozen: FrozenSet) -> Judgements:
    """What detectors see that can't cope with the night."""
    scenes = [replace(one, image=hardly_lit(one.image)) for one in frozen.scenes]
    return judge_plate_detector(Detector.open(PLATE_DETECTOR), scenes) | judge_vehicle_detector(
        Detector.open(VEHICLE_DETECTOR), scenes
    )


def hardly_lit(image: BgrImage) -> BgrImage:
    return np.asarray(image // DARKER, dtype=np.uint8)


def mirrored(image: BgrImage) -> BgrImage:
    return np.ascontiguousarray(image[:, ::-1])


def test_the_frozen_pictures_are_many_enough_and_small(frozen: FrozenSet) -> None:
    size = sum(path.stat().st_size for path in FROZEN_FOLDER.iterdir())

    assert size <= MAX_TOTAL_BYTES
    assert len(frozen.crops) >= 400
    assert sum(len(scene.plates or ()) for scene in frozen.scenes) >= 30
    assert sum(len(scene.vehicles or ()) for scene in frozen.scenes) >= 30


def test_the_released_models_have_not_fallen(frozen: FrozenSet, released: Judgements) -> None:
    found = verdicts(frozen, released)

    assert not any(one.has_fallen for one in found), gate_text(found)


@pytest.mark.parametrize(
    ("judge_worse", "fallen"),
    [
        (reader_of_mirrored_plates, {"plate read exactly", "track fused exactly"}),
        (detectors_of_hardly_lit_scenes, {"plate found", "vehicle found"}),
    ],
)
def test_models_that_see_worse_are_stopped(
    frozen: FrozenSet,
    released: Judgements,
    judge_worse: Callable[[FrozenSet], Judgements],
    fallen: set[str],
) -> None:
    found = verdicts(frozen, {**released, **judge_worse(frozen)})

    assert fallen <= {one.measure for one in found if one.has_fallen}, gate_text(found)
