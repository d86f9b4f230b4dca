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
    measure_frozen,
    read_baseline,
)
from models.evaluation.frozen.pictures import (
    FROZEN_FOLDER,
    MAX_TOTAL_BYTES,
    FrozenSet,
    read_frozen,
)
from models.runtime.values import BgrImage

DARKER: Final = 40

pytestmark = pytest.mark.vision


@pytest.fixture(scope="module")
def frozen() -> FrozenSet:
    return read_frozen()


def verdicts(frozen: FrozenSet, judgements: Judgements) -> tuple[Verdict, ...]:
    return compare(judgements, read_baseline(), frozen_sha256=frozen.sha256)


def worse(frozen: FrozenSet, spoil: Callable[[BgrImage], BgrImage]) -> FrozenSet:
    """What a model sees that can not cope with something."""
    return replace(
        frozen,
        crops=tuple(replace(one, image=spoil(one.image)) for one in frozen.crops),
        scenes=tuple(replace(one, image=spoil(one.image)) for one in frozen.scenes),
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


def test_the_released_models_have_not_fallen(frozen: FrozenSet) -> None:
    found = verdicts(frozen, measure_frozen(frozen))

    assert not any(one.has_fallen for one in found), gate_text(found)


@pytest.mark.parametrize(
    ("spoil", "fallen"),
    [
        (mirrored, {"plate read exactly", "track fused exactly"}),
        (hardly_lit, {"plate found", "vehicle found"}),
    ],
)
def test_models_that_see_worse_are_stopped(
    frozen: FrozenSet, spoil: Callable[[BgrImage], BgrImage], fallen: set[str]
) -> None:
    found = verdicts(frozen, measure_frozen(worse(frozen, spoil)))

    assert fallen <= {one.measure for one in found if one.has_fallen}, gate_text(found)
