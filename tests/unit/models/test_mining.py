# SPDX-License-Identifier: AGPL-3.0-or-later
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import cli
from models.datasets.manifest import PLATE_CROPS, read_manifest
from models.datasets.mined import (
    MAX_WEIGHT,
    MinedCrop,
    read_mined_weights,
    write_mined_weights,
)
from models.datasets.mining import HARD_BELOW, judge_crops, judged, training_crops
from models.datasets.pool import PlateCrop
from models.datasets.splits import Split
from models.errors import DatasetError
from models.runtime.reader import PlateReader
from models.runtime.values import PlateAlternative, PlateColour, PlateLayout, PlateReading

CROP = PlateCrop(file="plates/crops/a.jpg", text="30A12345")


def reading(text: str, confidence: float, *others: tuple[str, float]) -> PlateReading:
    return PlateReading(
        raw_text=text,
        text=text,
        char_confidences=(confidence,) * len(text),
        confidence=confidence,
        alternatives=tuple(PlateAlternative(text=one, confidence=share) for one, share in others),
        layout=PlateLayout.ONE_LINE,
        colour=PlateColour.WHITE,
        is_legal=True,
        slot_probabilities=np.zeros((10, 37), np.float32),
    )


def test_a_plate_that_is_read_surely_is_not_drawn_more_often() -> None:
    judgement = judged(reading("30A12345", HARD_BELOW), crop=CROP)

    assert judgement.is_right
    assert judgement.mined is None


@pytest.mark.parametrize(
    ("seen", "weight"),
    [
        # Right, but half believed: 1 + 5 * 0.5.
        (reading("30A12345", 0.5), 3.5),
        # Wrong, the truth is the second choice with 0.2: 1 + 5 * 0.8.
        (reading("30A12346", 0.6, ("30A12345", 0.2)), 5.0),
        # Wrong, and the truth is not among the alternatives.
        (reading("30A12346", 0.6), 6.0),
    ],
)
def test_the_weight_grows_with_what_the_true_text_lacks(seen: PlateReading, weight: float) -> None:
    mined = judged(seen, crop=CROP).mined

    assert mined is not None
    assert mined.file == CROP.file
    assert mined.weight == pytest.approx(weight)


def test_what_is_read_surely_as_another_text_is_a_suspect_label_and_not_mined() -> None:
    judgement = judged(reading("30A12346", 0.995), crop=CROP)

    assert judgement.is_suspect
    assert not judgement.is_right
    assert judgement.mined is None


@given(st.dictionaries(st.text("abc/0123.jpg", min_size=1), st.floats(1, MAX_WEIGHT), max_size=20))
def test_a_list_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, weights: dict[str, float]
) -> None:
    path = tmp_path_factory.mktemp("mined") / "runs" / "list.csv"

    count = write_mined_weights(
        path, [MinedCrop(file=file, weight=weight) for file, weight in weights.items()]
    )

    read = read_mined_weights(path)
    assert count == len(weights)
    assert read == pytest.approx(weights, abs=0.001)
    assert list(read.values()) == sorted(read.values(), reverse=True)
    assert [entry.name for entry in path.parent.iterdir()] == ["list.csv"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "needs the columns"),
        ("file,text\na,b\n", "needs the columns"),
        ("file,weight\na.jpg,nan\n", "line 2: a weight lies in"),
        ("file,weight\na.jpg,0\n", "line 2: a weight lies in"),
        ("file,weight\na.jpg,1000\n", "line 2: a weight lies in"),
        ("file,weight\na.jpg\n", "line 2"),
        ("file,weight\n,2\n", "line 2: a mined crop needs a file"),
        ("file,weight\na.jpg,2\na.jpg,3\n", "line 3: the file stands there twice"),
    ],
)
def test_a_list_that_is_none_is_refused_with_its_line(
    content: str, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(DatasetError, match=reason):
        read_mined_weights(path)


def test_an_absent_list_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="make it with: mine"):
        read_mined_weights(tmp_path / "list.csv")


def test_mining_without_the_pool_names_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["mine", "--data", str(tmp_path), "--to", str(tmp_path / "list.csv")])

    assert ended.value.code == 1
    assert "--data" in capsys.readouterr().err
    assert not (tmp_path / "list.csv").exists()


@pytest.mark.vision
def test_only_the_training_split_is_mined(shared_data: Path) -> None:
    crops = training_crops(shared_data)

    judgements = list(judge_crops(crops[:12], pool=shared_data, reader=PlateReader.open()))

    split_of = {row.file: row.split for row in read_manifest(PLATE_CROPS)}
    assert {split_of[crop.file] for crop in crops} == {Split.TRAIN}
    assert [item.file for item in judgements] == [crop.file for crop in crops[:12]]
    assert all(0 <= item.truth_probability <= 1 for item in judgements)


@pytest.mark.vision
def test_a_missing_picture_of_the_pool_is_said_without_its_text(shared_data: Path) -> None:
    gone = PlateCrop(file="plates/crops/gone.jpg", text="30A12345")

    with pytest.raises(DatasetError, match="check the manifest") as refused:
        list(judge_crops([gone], pool=shared_data, reader=PlateReader.open()))

    assert gone.text not in str(refused.value)
