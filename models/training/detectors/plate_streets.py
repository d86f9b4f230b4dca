# SPDX-License-Identifier: AGPL-3.0-or-later
"""Street pictures with rendered plates, written once into the work folder of a training."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np

from models.datasets.manifest import (
    PLATE_SCENES,
    VEHICLES,
    labels_path,
    read_manifest,
    rows_of,
)
from models.datasets.pasted import Ground, pasted_picture
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.riders import with_riders
from models.datasets.splits import GATE_SOURCES, Split
from models.datasets.yolo import ExtraPicture
from models.errors import DatasetError
from models.runtime.values import BgrImage, BoxPx
from models.training.detectors.teachers import Teacher

MAX_PICTURES: Final = 20_000
JPEG_QUALITY: Final = 90
SURE: Final = 0.4
MIN_SHARE_OF_WIDTH: Final = 0.018
"""A narrower plate is no more than a spot: it is left in the picture and not labelled."""
MIN_SHARE_OF_HEIGHT: Final = 0.012
_LONGEST_GROUND_PX: Final = 1280
_VEHICLE_CLASSES: Final = 4
_FRAME_STEP: Final = {"vn": 5, "idtoll": 5}
_MIN_VEHICLE_SHARE: Final = 0.06
# Share of pictures by the kind of their ground: gates, web pictures, roads.
_SHARES: Final = (0.34, 0.26, 0.40)


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroundFile:
    """A picture of the training split and where its labels are."""

    path: Path
    labels: Path
    is_road: bool


def street_pictures(
    folder: Path, *, pool: Path, count: int, seed: int, teacher: Teacher
) -> tuple[ExtraPicture, ...]:
    """Make the pictures that are not yet there, and list all of them.

    Args:
        folder: Where they are kept; made if absent.
        pool: Folder of real pictures, of which only the training split is used.
        count: How many, 0 to ``MAX_PICTURES``.
        seed: Decides every picture together with its number.
        teacher: Finds the plates of pictures that have no plate labels.
    """
    if not 0 <= count <= MAX_PICTURES:
        raise DatasetError(f"pasted pictures must number 0 to {MAX_PICTURES}, got {count}")
    folder.mkdir(parents=True, exist_ok=True)
    kinds = _ground_files(pool)
    cuts = np.cumsum(_SHARES)
    pictures = []
    for number in range(count):
        path = folder / f"street_{seed}_{number:05d}.jpg"
        truth = path.with_suffix(".json")
        if not truth.exists():
            rng = np.random.default_rng([seed, number])
            files = kinds[int(np.searchsorted(cuts, rng.random() * cuts[-1]))]
            ground = _ground(files[int(rng.integers(len(files)))], teacher=teacher)
            made = pasted_picture(ground, rng=rng)
            cv2.imwrite(str(path), made.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            truth.write_text(json.dumps(list(_shares(made.image, made.boxes_px))), encoding="utf-8")
        pictures.append(ExtraPicture(path=path, boxes=_read(truth)))
    return tuple(pictures)


def _ground_files(pool: Path) -> tuple[list[_GroundFile], list[_GroundFile], list[_GroundFile]]:
    """Grounds of gates, of the web, and of roads."""
    gates: list[_GroundFile] = []
    web: list[_GroundFile] = []
    roads: list[_GroundFile] = []
    for row in rows_of(read_manifest(PLATE_SCENES), Split.TRAIN):
        path = pool / row.file
        file = _GroundFile(path=path, labels=_labels(pool, row.file), is_road=False)
        (gates if path.stem.split("_")[0] in GATE_SOURCES else web).append(file)
    seen_of: dict[str, int] = {}
    for row in rows_of(read_manifest(VEHICLES), Split.TRAIN):
        source = PurePosixPath(row.file).stem.split("_")[0]
        seen_of[source] = seen_of.get(source, -1) + 1
        if seen_of[source] % _FRAME_STEP.get(source, 1) == 0:
            labels = _labels(pool, row.file)
            roads.append(_GroundFile(path=pool / row.file, labels=labels, is_road=True))
    return gates, web, roads


def _labels(pool: Path, file: str) -> Path:
    path = labels_path(pool, file)
    if path is None:
        raise DatasetError(f"{file} has no boxes")
    return path


def _ground(file: _GroundFile, *, teacher: Teacher) -> Ground:
    read = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
    if read is None:
        raise DatasetError(f"{file.path.name} is no picture")
    ratio = min(1.0, _LONGEST_GROUND_PX / max(read.shape[:2]))
    if ratio < 1.0:
        read = cv2.resize(read, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    image = np.asarray(read, dtype=np.uint8)
    labelled = read_boxes(file.labels)
    vehicles: tuple[BoxPx, ...] = ()
    plates = tuple(_in_pixels(box, image) for box in labelled)
    if file.is_road:
        vehicles = tuple(
            box
            for box in (
                _in_pixels(one, image)
                for one in with_riders(labelled)
                if one.class_id < _VEHICLE_CLASSES
            )
            if box.width >= _MIN_VEHICLE_SHARE * image.shape[1]
        )
        plates = ()
    if file.path.stem.split("_")[0] in GATE_SOURCES:
        return Ground(image=image, plates=plates, vehicles=(), doubtful=())
    seen = [one for one in teacher(image) if not any(_meet(one.box_px, plate) for plate in plates)]
    sure = tuple(one.box_px for one in seen if one.confidence >= SURE)
    return Ground(
        image=image,
        plates=plates + sure,
        vehicles=tuple(one for one in vehicles if not any(_meet(one, plate) for plate in sure)),
        doubtful=tuple(one.box_px for one in seen if one.confidence < SURE),
    )


def _in_pixels(box: LabelledBox, image: BgrImage) -> BoxPx:
    height, width = image.shape[:2]
    return BoxPx(
        x_min=(box.centre_x - box.width / 2) * width,
        y_min=(box.centre_y - box.height / 2) * height,
        x_max=(box.centre_x + box.width / 2) * width,
        y_max=(box.centre_y + box.height / 2) * height,
    )


def _meet(first: BoxPx, second: BoxPx) -> bool:
    x, y = first.centre
    return (second.x_min <= x <= second.x_max and second.y_min <= y <= second.y_max) or (
        first.x_min <= second.centre[0] <= first.x_max
        and first.y_min <= second.centre[1] <= first.y_max
    )


def _shares(image: BgrImage, boxes: Sequence[BoxPx]) -> Iterator[tuple[float, float, float, float]]:
    height, width = image.shape[:2]
    for box in boxes:
        x, y = box.centre
        yield x / width, y / height, box.width / width, box.height / height


def _read(truth: Path) -> tuple[LabelledBox, ...]:
    return tuple(
        LabelledBox(class_id=0, centre_x=x, centre_y=y, width=width, height=height)
        for x, y, width, height in json.loads(truth.read_text(encoding="utf-8"))
        if width >= MIN_SHARE_OF_WIDTH and height >= MIN_SHARE_OF_HEIGHT
    )
