# SPDX-License-Identifier: AGPL-3.0-or-later
"""Released detectors may not fall below these floors on real pictures that they never learned from.

A sample of the validation split keeps it short; ``luuthong-models evaluate`` measures all of it.
"""

from pathlib import Path

import pytest

from models.datasets.manifest import ManifestRow, read_manifest, rows_of
from models.datasets.splits import Split
from models.evaluation.detection import LISTED_FROM, DetectionScore, evaluate_detector
from models.runtime.detector import Detector
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR, load_model
from models.training.detectors.settings import read_detector_training

pytestmark = pytest.mark.vision

SAMPLE = 60
PLATE_RECALL = 0.98
PLATE_PRECISION = 0.97
HELD_OUT_RECALL = 0.98
HELD_OUT_PRECISION = 0.85  # plates of neighbours that are cut by the edge are not labelled
HELD_OUT_PRECISION_OFF_EDGE = 0.97
VEHICLE_RECALL = 0.81
VEHICLE_PRECISION = 0.68  # vehicles far away are not labelled
VEHICLE_LABELS = 0.9
VEHICLE_AP50 = 0.8


def sample(name: str, split: Split) -> tuple[ManifestRow, ...]:
    rows = rows_of(read_manifest(read_detector_training(name).manifest), split)
    return rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]


def score(name: str, split: Split, pool: Path) -> DetectionScore:
    training = read_detector_training(name)
    scores = evaluate_detector(
        Detector.open(name, min_confidence=LISTED_FROM),
        sample(name, split),
        pool=pool,
        labels=training.labels,
        class_of=training.class_of,
        min_confidence=load_model(name).config.number("min_confidence"),
    )
    return scores[0]


def test_plates_at_gates_are_found(shared_data: Path) -> None:
    figures = score(PLATE_DETECTOR, Split.VALIDATION, shared_data)

    assert figures.recall.value is not None
    assert figures.precision.value is not None
    assert figures.recall.value >= PLATE_RECALL, str(figures.recall)
    assert figures.precision.value >= PLATE_PRECISION, str(figures.precision)


def test_plates_of_a_source_that_training_never_saw_are_found(shared_data: Path) -> None:
    figures = score(PLATE_DETECTOR, Split.HOLD_OUT, shared_data)

    assert figures.recall.value is not None
    assert figures.precision.value is not None
    assert figures.precision_off_edge.value is not None
    assert figures.recall.value >= HELD_OUT_RECALL, str(figures.recall)
    assert figures.precision.value >= HELD_OUT_PRECISION, str(figures.precision)
    assert figures.precision_off_edge.value >= HELD_OUT_PRECISION_OFF_EDGE


def test_vehicles_on_roads_are_found_and_told_apart(shared_data: Path) -> None:
    figures = score(VEHICLE_DETECTOR, Split.VALIDATION, shared_data)

    assert figures.recall.value is not None
    assert figures.precision.value is not None
    assert figures.label_accuracy.value is not None
    assert figures.recall.value >= VEHICLE_RECALL, str(figures.recall)
    assert figures.precision.value >= VEHICLE_PRECISION, str(figures.precision)
    assert figures.label_accuracy.value >= VEHICLE_LABELS, str(figures.label_accuracy)
    assert figures.ap50.value is not None
    assert figures.ap50.value >= VEHICLE_AP50, str(figures.ap50)
