# SPDX-License-Identifier: AGPL-3.0-or-later
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.datasets.manifest import ManifestRow, labels_path
from models.datasets.pool import LabelledBox, read_boxes, read_plate_scenes, require_pool
from models.datasets.splits import Split
from models.datasets.yolo import ExtraPicture, write_yolo_dataset
from models.errors import DatasetError
from models.runtime.registry import file_sha256


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A pool of two scenes, one with a known plate, drawn here."""
    scenes = tmp_path / "pool" / "plates" / "scenes"
    scenes.mkdir(parents=True)
    for name in ("gpm_0001", "gpm_0002"):
        cv2.imwrite(str(scenes / f"{name}.jpg"), np.full((30, 40, 3), 90, dtype=np.uint8))
        (scenes / f"{name}.txt").write_text("0 0.5 0.5 0.2 0.1\n", encoding="utf-8")
    crops = tmp_path / "pool" / "plates" / "crops"
    crops.mkdir()
    (crops / "labels.csv").write_text(
        "file,text,lines,source\nxla_12xemay345.jpg,59A11111,2,one/repo\n", encoding="utf-8"
    )
    (tmp_path / "pool" / "plates" / "SOURCES.csv").write_text(
        "file,repo,path,licence\n"
        "scenes/gpm_0001.jpg,one/repo,images/xemay345.jpg,none stated\n"
        "scenes/gpm_0002.jpg,one/repo,images/xemay7.jpg,none stated\n",
        encoding="utf-8",
    )
    return tmp_path / "pool"


def make_row(pool: Path, file: str, split: Split) -> ManifestRow:
    labels = labels_path(pool, file)
    assert labels is not None
    return ManifestRow(
        file=file,
        group="plate-0001",
        split=split,
        sha256=file_sha256(pool / file),
        labels_sha256=file_sha256(labels),
    )


def test_a_scene_gets_the_text_of_the_crop_that_was_cut_from_it(pool: Path) -> None:
    known, unknown = read_plate_scenes(pool)

    assert known.plate_texts == {"59A11111"}
    assert unknown.plate_texts == frozenset()
    assert (known.source, len(known.boxes)) == ("gpm", 1)


def test_a_pool_without_pictures_is_refused_with_the_option_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="--data"):
        require_pool(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("0 0.5 0.5 0.2\n", "4 fields"), ("0 a b c d\n", "no number"), ("x 1 1 1 1\n", "no number")],
)
def test_a_malformed_label_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "one.txt"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DatasetError, match=message):
        read_boxes(path)
    with pytest.raises(DatasetError, match=r"no labels two\.txt"):
        read_boxes(tmp_path / "two.txt")


def test_the_training_layout_links_pictures_and_keeps_the_splits_apart(
    pool: Path, tmp_path: Path
) -> None:
    rows = [
        make_row(pool, "plates/scenes/gpm_0001.jpg", Split.TRAIN),
        make_row(pool, "plates/scenes/gpm_0002.jpg", Split.VALIDATION),
    ]
    drawn = tmp_path / "drawn.jpg"
    cv2.imwrite(str(drawn), np.zeros((10, 10, 3), dtype=np.uint8))
    box = LabelledBox(class_id=0, centre_x=0.25, centre_y=0.25, width=0.5, height=0.5)
    folder = tmp_path / "layout"
    write_yolo_dataset(rows, pool=pool, folder=folder, labels=("plate",), class_of={0: 0})

    data = write_yolo_dataset(
        rows,
        pool=pool,
        folder=folder,  # what was there is replaced
        labels=("plate",),
        class_of={0: 0},
        extra=[ExtraPicture(path=drawn, boxes=(box,))],
    )

    training = {path.name for path in (folder / "images" / "train").iterdir()}
    measured = {path.name for path in (folder / "images" / "val").iterdir()}
    assert (training, measured) == ({"gpm_0001.jpg", "drawn.jpg"}, {"gpm_0002.jpg"})
    assert all(path.is_symlink() for path in (folder / "images" / "train").iterdir())
    label = (folder / "labels" / "train" / "drawn.txt").read_text(encoding="utf-8")
    assert label == "0 0.250000 0.250000 0.500000 0.500000\n"
    assert "0: plate" in data.read_text(encoding="utf-8")


def test_a_folder_of_somebody_else_is_not_emptied(pool: Path, tmp_path: Path) -> None:
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "letter.txt").write_text("keep me", encoding="utf-8")
    rows = [make_row(pool, "plates/scenes/gpm_0001.jpg", Split.TRAIN)]

    with pytest.raises(FileExistsError, match="not made by this program"):
        write_yolo_dataset(rows, pool=pool, folder=folder, labels=("plate",), class_of={0: 0})

    assert (folder / "letter.txt").exists()


def test_a_changed_picture_stops_the_layout(pool: Path, tmp_path: Path) -> None:
    row = make_row(pool, "plates/scenes/gpm_0001.jpg", Split.TRAIN)
    (pool / row.file).write_bytes(b"something else")

    with pytest.raises(DatasetError, match="differ from the manifest"):
        write_yolo_dataset(
            [row], pool=pool, folder=tmp_path / "layout", labels=("plate",), class_of={0: 0}
        )
