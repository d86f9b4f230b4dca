# SPDX-License-Identifier: AGPL-3.0-or-later
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.datasets.manifest import (
    MANIFEST_NAMES,
    PLATE_CROPS,
    PLATE_SCENES,
    VEHICLES,
    ManifestRow,
    read_manifest,
    rows_of,
    verify_pictures,
)
from models.datasets.pool import (
    LabelledBox,
    PlateCrop,
    PlateScene,
    VehiclePicture,
    read_plate_crops,
    read_plate_scenes,
)
from models.datasets.splits import (
    Split,
    assign_plate_crops,
    assign_plate_scenes,
    assign_vehicle_pictures,
    plate_groups,
    plate_splits,
)
from models.errors import DatasetError
from models.training.plates.real_crops import load_real_crops

PLATES = st.text(alphabet="0123456789AB", min_size=3, max_size=5)


def splits_of_groups(rows: Iterable[ManifestRow]) -> dict[str, set[Split]]:
    found: dict[str, set[Split]] = defaultdict(set)
    for row in rows:
        found[row.group].add(row.split)
    return found


@given(st.lists(PLATES, max_size=40))
def test_texts_that_differ_in_one_character_are_never_divided(texts: list[str]) -> None:
    groups = plate_groups(texts)

    for left in groups:
        for right in groups:
            if len(left) == len(right):
                differing = sum(a != b for a, b in zip(left, right, strict=True))
                assert differing > 1 or groups[left] == groups[right]


@given(st.lists(PLATES, max_size=30))
def test_a_split_does_not_depend_on_the_order(texts: list[str]) -> None:
    assert plate_splits(texts) == plate_splits(sorted(texts, reverse=True))


def test_crops_and_scenes_of_one_plate_are_used_alike() -> None:
    texts = [f"{number:05d}A{number % 7}{number % 5}" for number in range(0, 4000, 37)]
    crops = [PlateCrop(file=f"{text}.jpg", text=text) for text in texts]
    scenes = [make_scene("gpm", text, texts=(text,)) for text in texts]

    by_crop = {one.file: one for one in assign_plate_crops(crops)}
    by_scene = assign_plate_scenes(scenes, crops=crops)

    assert {one.split for one in by_scene} == {Split.TRAIN, Split.VALIDATION}
    for one in by_scene:
        crop = by_crop[one.file.removeprefix("gpm_")]
        assert (one.group, one.split) == (crop.group, crop.split)


def test_a_gate_scene_without_known_plate_is_not_used() -> None:
    crops = [PlateCrop(file="a.jpg", text="51A12345"), PlateCrop(file="b.jpg", text="60B54321")]

    unknown, doubtful, clear = assign_plate_scenes(
        [
            make_scene("gpc", "1", texts=()),
            make_scene("gpc", "2", texts=("51A12345", "60B54321")),
            make_scene("gpc", "3", texts=("51A12345",)),
        ],
        crops=crops,
    )

    assert unknown.split is doubtful.split is Split.UNUSED
    assert clear.split in {Split.TRAIN, Split.VALIDATION}
    assert "51A" not in clear.group


def test_one_whole_source_is_held_out() -> None:
    (scene,) = assign_plate_scenes([make_scene("cam", "1", texts=())], crops=[])

    assert scene.split is Split.HOLD_OUT


def test_the_fixed_camera_is_cut_in_time_with_a_gap() -> None:
    names = ("vn_cam_01_01080", "vn_cam_01_01090", "vn_cam_01_01101")

    uses = assign_vehicle_pictures(
        VehiclePicture(file=f"vehicles/images/{name}.jpg", boxes=()) for name in names
    )

    assert [one.split for one in uses] == [Split.TRAIN, Split.UNUSED, Split.VALIDATION]


@pytest.mark.parametrize("name", MANIFEST_NAMES)
def test_no_group_of_a_kept_manifest_is_divided(name: str) -> None:
    rows = read_manifest(name)

    assert rows == tuple(sorted(rows, key=lambda row: row.file))
    assert len({row.file for row in rows}) == len(rows)
    assert all(len(splits) == 1 for splits in splits_of_groups(rows).values())
    assert rows_of(rows, Split.TRAIN)
    assert rows_of(rows, Split.VALIDATION)


@pytest.mark.parametrize("name", MANIFEST_NAMES)
def test_no_picture_is_in_training_and_validation_under_two_names(name: str) -> None:
    rows = read_manifest(name)

    training = {row.sha256 for row in rows_of(rows, Split.TRAIN)}
    measured = {
        row.sha256 for split in (Split.VALIDATION, Split.HOLD_OUT) for row in rows_of(rows, split)
    }

    assert not training & measured


def test_a_plate_has_one_use_in_scenes_and_crops_together() -> None:
    uses: dict[str, set[Split]] = defaultdict(set)
    for name in (PLATE_SCENES, PLATE_CROPS):
        for row in read_manifest(name):
            if row.group.startswith("plate-"):
                uses[row.group].add(row.split)

    assert len(uses) > 1000
    assert all(len(splits) == 1 for splits in uses.values())


def test_the_real_pool_shares_no_plate_between_training_and_validation(
    shared_data: Path,
) -> None:
    text_of = {crop.file: crop.text for crop in read_plate_crops(shared_data)}
    texts_of = {scene.file: scene.plate_texts for scene in read_plate_scenes(shared_data)}
    texts: dict[Split, set[str]] = defaultdict(set)
    for row in read_manifest(PLATE_CROPS):
        texts[row.split].add(text_of[row.file])
    for row in read_manifest(PLATE_SCENES):
        if row.split in {Split.TRAIN, Split.VALIDATION}:
            texts[row.split] |= texts_of[row.file]

    assert len(texts[Split.VALIDATION]) > 200
    assert not texts[Split.TRAIN] & texts[Split.VALIDATION]


def test_no_recording_of_a_road_is_in_training_and_validation() -> None:
    uses: dict[str, set[Split]] = defaultdict(set)
    for row in read_manifest(VEHICLES):
        recording = re.sub(r"_\d+$", "", PurePosixPath(row.file).stem)
        if recording.startswith("idtoll"):
            uses[recording].add(row.split)

    assert len(uses) > 2
    assert all(len(splits) == 1 for splits in uses.values())


def test_the_fixed_cameras_frames_of_two_splits_lie_apart() -> None:
    frames: dict[Split, list[int]] = defaultdict(list)
    for row in read_manifest(VEHICLES):
        stem = PurePosixPath(row.file).stem
        if stem.startswith("vn_cam_01_"):
            frames[row.split].append(int(stem.removeprefix("vn_cam_01_")))

    assert min(frames[Split.VALIDATION]) - max(frames[Split.TRAIN]) > 20


@pytest.mark.parametrize("name", MANIFEST_NAMES)
def test_what_is_held_out_is_a_whole_source(name: str) -> None:
    sources: dict[Split, set[str]] = defaultdict(set)
    for row in read_manifest(name):
        sources[row.split].add(PurePosixPath(row.file).stem.split("_")[0])

    others = sources[Split.TRAIN] | sources[Split.VALIDATION]
    assert not sources[Split.HOLD_OUT] & others


def test_the_readers_held_out_source_shares_neither_source_nor_plate_with_training(
    shared_data: Path,
) -> None:
    trained = load_real_crops(shared_data, Split.TRAIN)
    held_out = load_real_crops(shared_data, Split.HOLD_OUT)

    assert held_out
    assert not {one.source for one in trained} & {one.source for one in held_out}
    assert not {one.text for one in trained} & {one.text for one in held_out}
    assert not {one.group for one in trained} & {one.group for one in held_out}


def test_the_real_pool_is_the_one_of_the_manifests(shared_data: Path) -> None:
    rows = [*read_manifest(PLATE_SCENES), *read_manifest(VEHICLES)]

    verify_pictures(shared_data, rows[:: len(rows) // 100])


def test_a_changed_or_missing_picture_is_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "plates" / "scenes").mkdir(parents=True)
    changed = tmp_path / "plates" / "scenes" / "gpm_0001.jpg"
    changed.write_bytes(b"another picture")
    rows = [row for row in read_manifest(PLATE_SCENES) if "gpm_000" in row.file]

    with pytest.raises(DatasetError, match=rf"^{len(rows)} pictures are missing or differ"):
        verify_pictures(tmp_path, rows)


def test_a_malformed_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file,group\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text(
        "file,group,split,sha256,labels_sha256\nx,y,elsewhere,1,2\n", encoding="utf-8"
    )

    with pytest.raises(DatasetError, match="other columns"):
        read_manifest("a", folder=tmp_path)
    with pytest.raises(DatasetError, match="no use is called 'elsewhere'"):
        read_manifest("b", folder=tmp_path)
    with pytest.raises(DatasetError, match="no manifest"):
        read_manifest("c", folder=tmp_path)


def make_scene(source: str, name: str, *, texts: tuple[str, ...]) -> PlateScene:
    box = LabelledBox(class_id=0, centre_x=0.5, centre_y=0.5, width=0.1, height=0.1)
    return PlateScene(
        file=f"{source}_{name}.jpg", source=source, boxes=(box,), plate_texts=frozenset(texts)
    )
