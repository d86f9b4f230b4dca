# SPDX-License-Identifier: AGPL-3.0-or-later
from itertools import pairwise
from pathlib import Path

import pytest

from models.datasets.manifest import ManifestRow, leave_out, source_of, thinned
from models.datasets.splits import Split
from models.errors import DatasetError, TrainingEnvironmentError
from models.training.detectors.detector import DETECTOR_NAMES
from models.training.detectors.settings import CONFIG_FOLDER, read_detector_training


def row(file: str, split: Split) -> ManifestRow:
    return ManifestRow(file=file, group=file, split=split, sha256="", labels_sha256="")


def manifest(*, gate: int, web: int) -> tuple[ManifestRow, ...]:
    return (
        *(row(f"scenes/gpm_{number:03d}.jpg", Split.TRAIN) for number in range(gate)),
        *(row(f"scenes/mil_{number:03d}.jpg", Split.TRAIN) for number in range(web)),
        *(row(f"scenes/gpm_v{number:03d}.jpg", Split.VALIDATION) for number in range(gate)),
    )


def test_a_large_source_is_thinned_evenly_and_a_small_one_stays() -> None:
    kept = thinned(manifest(gate=100, web=5), max_per_source=10)

    learned = [one.file for one in kept if one.split is Split.TRAIN]
    gate = [int(file[-7:-4]) for file in learned if source_of(file) == "gpm"]
    assert len(gate) == 10
    assert max(b - a for a, b in pairwise(gate)) <= 11
    assert sum(source_of(file) == "mil" for file in learned) == 5


def test_only_training_pictures_are_thinned() -> None:
    kept = thinned(manifest(gate=100, web=5), max_per_source=1)

    assert sum(one.split is Split.VALIDATION for one in kept) == 100


def test_a_source_without_any_picture_left_is_refused() -> None:
    with pytest.raises(DatasetError, match="at least one"):
        thinned(manifest(gate=3, web=3), max_per_source=0)


def test_a_source_that_is_left_out_leaves_no_row_behind() -> None:
    rows = manifest(gate=4, web=3)

    left = leave_out(rows, source="gpm")

    assert left == tuple(one for one in rows if "mil_" in one.file)


def test_a_source_to_leave_out_must_be_there() -> None:
    with pytest.raises(DatasetError, match="no source 'gate'; there are: gpm, mil"):
        leave_out(manifest(gate=1, web=1), source="gate")


def test_something_to_learn_from_must_be_left() -> None:
    with pytest.raises(DatasetError, match="nothing to learn from"):
        leave_out(manifest(gate=2, web=0), source="gpm")


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_kept_config_maps_its_classes_into_its_labels(name: str) -> None:
    training = read_detector_training(name)

    assert set(training.class_of.values()) == set(range(len(training.labels)))
    assert 0 < training.min_confidence < 1


@pytest.mark.parametrize(
    "missing", ["manifest", "rounds", "max_per_source", "quantised", "start_share"]
)
def test_an_incomplete_config_names_what_is_missing(tmp_path: Path, missing: str) -> None:
    text = (CONFIG_FOLDER / "plate-detector.toml").read_text(encoding="utf-8")
    (tmp_path / "plate-detector.toml").write_text(text.replace(missing, f"no_{missing}"))

    with pytest.raises(TrainingEnvironmentError, match=missing):
        read_detector_training("plate-detector", folder=tmp_path)


def test_more_than_the_whole_of_the_starting_network_is_refused(tmp_path: Path) -> None:
    text = (CONFIG_FOLDER / "plate-detector.toml").read_text(encoding="utf-8")
    (tmp_path / "plate-detector.toml").write_text(
        text.replace("start_share = 0.0", "start_share = 1.5")
    )

    with pytest.raises(TrainingEnvironmentError, match="start_share lies in 0 to 1"):
        read_detector_training("plate-detector", folder=tmp_path)
