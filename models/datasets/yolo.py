# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pool in the folder layout that the training library reads.

The layout is made anew in a work folder outside version control; pictures are
linked there, never copied into the project.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.datasets.manifest import ManifestRow, labels_path, rows_of, verify_pictures
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.splits import Split

_FOLDERS: Final = {Split.TRAIN: "train", Split.VALIDATION: "val"}
_MARKER: Final = ".made-by-luuthong-models"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraPicture:
    """A training picture of our own making, already written to disk."""

    path: Path
    boxes: tuple[LabelledBox, ...]


def write_yolo_dataset(
    rows: Iterable[ManifestRow],
    *,
    pool: Path,
    folder: Path,
    labels: Sequence[str],
    class_of: Mapping[int, int],
    mended: Callable[[Sequence[LabelledBox]], tuple[LabelledBox, ...]] = tuple,
    extra: Sequence[ExtraPicture] = (),
) -> Path:
    """Lay a manifest's train and validation pictures out for training.

    Args:
        rows: Manifest; pictures are checked against their digests first.
        pool: Folder of real pictures.
        folder: Where to write; an earlier layout there is replaced.
        labels: Names of the classes, in order.
        class_of: Pool's class number to ours; boxes of others are left out.
        mended: What is made of a picture's boxes, in the pool's classes, before
            they are written; as they are, if not given.
        extra: Further training pictures.

    Returns:
        Path of the ``data.yaml`` that describes the layout.

    Raises:
        DatasetError: A picture is missing or differs from the manifest.
    """
    rows = tuple(rows)
    used = [row for split in _FOLDERS for row in rows_of(rows, split)]
    verify_pictures(pool, used)
    _empty(folder)
    for row in used:
        source = pool / row.file
        target = folder / "images" / _FOLDERS[row.split] / source.name
        target.symlink_to(source.resolve())
        boxes = read_boxes(labels_path(pool, row.file) or source.with_suffix(".txt"))
        _write_labels(folder, target, mended(boxes), class_of=class_of)
    for picture in extra:
        target = folder / "images" / _FOLDERS[Split.TRAIN] / picture.path.name
        target.symlink_to(picture.path.resolve())
        identity = {index: index for index in range(len(labels))}
        _write_labels(folder, target, picture.boxes, class_of=identity)
    return _write_description(folder, labels)


def _empty(folder: Path) -> None:
    if folder.exists():
        if not (folder / _MARKER).exists():
            raise FileExistsError(f"{folder.name} exists and was not made by this program")
        shutil.rmtree(folder)
    for kind in ("images", "labels"):
        for part in _FOLDERS.values():
            (folder / kind / part).mkdir(parents=True)
    (folder / _MARKER).touch()


def _write_labels(
    folder: Path, image: Path, boxes: Iterable[LabelledBox], *, class_of: Mapping[int, int]
) -> None:
    lines = [
        f"{class_of[box.class_id]} {box.centre_x:.6f} {box.centre_y:.6f}"
        f" {box.width:.6f} {box.height:.6f}\n"
        for box in boxes
        if box.class_id in class_of
    ]
    path = folder / "labels" / image.parent.name / f"{image.stem}.txt"
    path.write_text("".join(lines), encoding="utf-8")


def _write_description(folder: Path, labels: Sequence[str]) -> Path:
    names = "".join(f"  {index}: {label}\n" for index, label in enumerate(labels))
    path = folder / "data.yaml"
    path.write_text(
        f"path: {folder.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}",
        encoding="utf-8",
    )
    return path
