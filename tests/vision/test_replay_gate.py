# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real gate cameras, replayed by the command as a user would."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import EXIT_OK
from models.runtime.values import BoxPx, overlap

pytestmark = [pytest.mark.vision, pytest.mark.timeout(180)]

GATE_PICTURES: Final = 60
"""Every eleventh picture of the gate, so that every day and light of it occurs."""
GATE_STEP: Final = 11
TEXTS_RIGHT_MIN: Final = 0.85
BOX_OVERLAP_MIN: Final = 0.5


def replayed(source: Path, events: Path, *options: str) -> list[dict[str, Any]]:
    """Passages of a replay as the events file has them; values are JSON's."""
    result = CliRunner().invoke(
        app, ["replay", str(source), "--offline", "--events", str(events), *options]
    )
    assert result.exit_code == EXIT_OK, result.output
    return [json.loads(line) for line in events.read_text().splitlines()]


def test_a_motorbike_that_stands_before_the_camera_is_one_passage_with_its_plate(
    shared_data: Path, tmp_path: Path
) -> None:
    video = shared_data / "videos" / "moto_single_static.mp4"

    passages = replayed(video, tmp_path / "events.jsonl", "--mode", "gate", "--every", "2")

    assert [passage["plate"] for passage in passages] == ["47AD15155"]
    assert passages[0]["probability"] > 0.9


@pytest.fixture(scope="module")
def gate_pictures(shared_data: Path) -> list[Path]:
    pictures = sorted((shared_data / "plates" / "scenes").glob("gpc_*.jpg"))
    if len(pictures) < GATE_PICTURES * GATE_STEP:
        pytest.skip("the gate's pictures are not here: ../shared/data/plates/scenes/gpc_*")
    return pictures[::GATE_STEP][:GATE_PICTURES]


@pytest.fixture(scope="module")
def gate_passages(
    gate_pictures: Sequence[Path], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("gate")
    for picture in gate_pictures:
        (folder / picture.name).symlink_to(picture)
    return replayed(folder, folder / "events.jsonl", "--mode", "gate")


def test_each_picture_of_a_gate_with_one_vehicle_is_one_passage(
    gate_passages: Sequence[dict[str, Any]],
) -> None:
    assert [passage["frame"] for passage in gate_passages] == list(range(GATE_PICTURES))


def test_the_plates_of_the_gate_lie_where_the_labels_say(
    gate_passages: Sequence[dict[str, Any]], gate_pictures: Sequence[Path]
) -> None:
    for passage in gate_passages:
        found = box(passage["plate_box"])
        label = gate_pictures[passage["frame"]].with_suffix(".txt")

        overlaps = [overlap(found, labelled) for labelled in labelled_boxes(label)]

        assert max(overlaps) >= BOX_OVERLAP_MIN, f"picture {passage['frame']}"


def test_the_plates_of_the_gate_read_what_the_labels_say(
    gate_passages: Sequence[dict[str, Any]], gate_pictures: Sequence[Path], shared_data: Path
) -> None:
    texts = texts_of_scenes(shared_data / "plates")
    known = [
        (passage["plate"], texts[gate_pictures[passage["frame"]].name])
        for passage in gate_passages
        if gate_pictures[passage["frame"]].name in texts
    ]

    right = sum(read == labelled for read, labelled in known)

    assert len(known) >= GATE_PICTURES // 4
    assert right / len(known) >= TEXTS_RIGHT_MIN


def box(corners: Sequence[float]) -> BoxPx:
    x_min, y_min, x_max, y_max = corners
    return BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)


def labelled_boxes(label: Path) -> list[BoxPx]:
    """Boxes of a YOLO label, in pixels of the gate's 472x303 pictures."""
    boxes = []
    for line in label.read_text().splitlines():
        _, x, y, width, height = (float(part) for part in line.split())
        boxes.append(
            box(
                (
                    (x - width / 2) * 472,
                    (y - height / 2) * 303,
                    (x + width / 2) * 472,
                    (y + height / 2) * 303,
                )
            )
        )
    return boxes


def texts_of_scenes(plates: Path) -> dict[str, str]:
    """Text of each scene whose plate also is among the labelled crops.

    The sources tell which original picture a scene and a crop come from; the crop's name carries
    a digit before it.
    """
    with (plates / "SOURCES.csv").open(newline="") as file:
        originals = {row["file"]: Path(row["path"]).stem for row in csv.DictReader(file)}
    by_original: dict[str, str] = {}
    with (plates / "crops" / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            match = re.fullmatch(r"\d+(CarLongPlate\d+)", originals[f"crops/{row['file']}"])
            if match is not None:
                by_original[match.group(1)] = row["text"]
    return {
        Path(file).name: by_original[original]
        for file, original in originals.items()
        if file.startswith("scenes/gpc_") and original in by_original
    }
