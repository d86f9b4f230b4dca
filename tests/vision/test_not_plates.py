# SPDX-License-Identifier: AGPL-3.0-or-later
"""Foreign plates, signs and lettering are not forced into Vietnam's formats."""

import numpy as np
import pytest

from models.datasets.synth.not_plates import random_not_plate
from models.datasets.synth.plates import random_plate_spec, render_plate_of_today
from models.reading.plates import PictureReader

pytestmark = pytest.mark.vision

NOT_PLATES = 200
ANSWERED_SHARE_MAX = 0.02
GENUINE_PLATES = 60
GENUINE_EXACT_SHARE_MIN = 0.85
GENUINE_ANSWERED_SHARE_MIN = 0.5


@pytest.fixture(scope="module")
def reader() -> PictureReader:
    return PictureReader.open()


def test_what_is_no_vietnamese_plate_is_hardly_ever_answered(reader: PictureReader) -> None:
    rng = np.random.default_rng(2026)

    read = reader.read([random_not_plate(rng) for _ in range(NOT_PLATES)])

    assert sum(plate.is_answered for plate in read) <= NOT_PLATES * ANSWERED_SHARE_MAX


def test_the_same_reader_reads_and_answers_genuine_plates(reader: PictureReader) -> None:
    rng = np.random.default_rng(2027)
    specs = [random_plate_spec(rng) for _ in range(GENUINE_PLATES)]

    read = reader.read([render_plate_of_today(spec, height_px=96, rng=rng) for spec in specs])

    right = [plate.reading.text == spec.text for plate, spec in zip(read, specs, strict=True)]
    answered = [plate.is_answered for plate in read]
    wrong = sum(gave and not is_right for gave, is_right in zip(answered, right, strict=True))
    assert sum(right) >= GENUINE_PLATES * GENUINE_EXACT_SHARE_MIN
    assert sum(answered) >= GENUINE_PLATES * GENUINE_ANSWERED_SHARE_MIN
    assert wrong <= 1
