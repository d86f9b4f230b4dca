# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the released reader must do on real crops whose plates it never saw."""

from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from models.datasets.splits import Split
from models.datasets.synth.plates import FORMAT_IDS
from models.evaluation.figures.intervals import Share
from models.evaluation.reading import ReadingScore, evaluate_reader
from models.evaluation.reading_conditions import evaluate_conditions, evaluate_formats
from models.runtime.reader import PlateReader
from models.training.plates.real_crops import load_real_crops

EXACT_MIN: Final = 0.955
GATE_EXACT_MIN: Final = 0.96
ANSWERED_WRONG_MAX: Final = 0.012
ANSWERED_MIN: Final = 0.9
UNSEEN_SOURCE_EXACT_MIN: Final = 0.935  # four in a hundred of these labels are doubtful
LEAST_CROPS: Final = 400
# A moped's two letters and four digits are told from a newer motorbike's by one digit only.
FORMAT_EXACT_MIN: Final = MappingProxyType({"moped_old": 0.88})

pytestmark = pytest.mark.vision


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader.open()


@pytest.fixture(scope="module")
def scores(reader: PlateReader, shared_data: Path) -> dict[str, ReadingScore]:
    found = evaluate_reader(reader, pool=shared_data, split=Split.VALIDATION)
    return {score.slice_name: score for score in found}


@pytest.fixture(scope="module")
def conditions(reader: PlateReader) -> dict[str, Share]:
    return evaluate_conditions(reader, plates=100)


def test_no_validation_plate_is_in_training(shared_data: Path) -> None:
    trained = {crop.text for crop in load_real_crops(shared_data, Split.TRAIN)}
    measured = {crop.text for crop in load_real_crops(shared_data, Split.VALIDATION)}

    assert trained
    assert measured
    assert not trained & measured


def test_unseen_plates_are_read_exactly(scores: dict[str, ReadingScore]) -> None:
    everything = scores["all"].exact

    assert everything.trials >= LEAST_CROPS
    assert everything.value is not None
    assert everything.value >= EXACT_MIN


@pytest.mark.parametrize("source", ["source gate-car", "source gate-motorbike"])
def test_plates_at_a_gate_are_read_exactly(scores: dict[str, ReadingScore], source: str) -> None:
    share = scores[source].exact.value

    assert share is not None
    assert share >= GATE_EXACT_MIN


def test_a_reading_that_is_answered_is_right(scores: dict[str, ReadingScore]) -> None:
    wrong = scores["all"].answered_wrong.value

    assert wrong is not None
    assert wrong <= ANSWERED_WRONG_MAX


def test_most_plates_are_answered(scores: dict[str, ReadingScore]) -> None:
    answered = scores["all"].answered.value

    assert answered is not None
    assert answered >= ANSWERED_MIN


def test_a_camera_that_training_never_saw_is_read(reader: PlateReader, shared_data: Path) -> None:
    score = evaluate_reader(reader, pool=shared_data, split=Split.HOLD_OUT)[0]

    assert score.exact.value is not None
    assert score.exact.value >= UNSEEN_SOURCE_EXACT_MIN


@pytest.mark.parametrize(
    ("condition", "least"),
    [
        ("clear", 0.98),
        ("tilt up to 40 degrees", 0.92),
        ("night, infrared, glare", 0.9),
        ("rain and dirt", 0.9),
        ("motion and focus", 0.97),
        ("small and compressed", 0.93),
    ],
)
def test_each_condition_by_itself_is_borne(
    conditions: dict[str, Share], condition: str, least: float
) -> None:
    share = conditions[condition].value

    assert share is not None
    assert share >= least


@pytest.mark.parametrize("format_id", FORMAT_IDS)
def test_every_legal_format_is_read_when_it_is_clear(reader: PlateReader, format_id: str) -> None:
    share = evaluate_formats(reader, format_id=format_id, plates=40).value

    assert share is not None
    assert share >= FORMAT_EXACT_MIN.get(format_id, 0.94)
