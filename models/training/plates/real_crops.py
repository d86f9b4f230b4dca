# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photographed plates of the pool with their texts, by use."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.datasets.manifest import (
    PLATE_CROPS,
    PLATE_SCENES,
    ManifestRow,
    read_doubtful_labels,
    read_manifest,
    rows_of,
)
from models.datasets.pool import read_plate_crops, read_plate_scenes
from models.datasets.reviewed import read_reviewed
from models.datasets.splits import Split
from models.errors import DatasetError
from models.runtime.values import BgrImage, PlateLayout
from models.training.plates.plate_views import box_corners
from models.training.plates.reader_samples import RealPlate

HELD_OUT_SOURCE: Final = "pbl"
_ONE_LINE_ASPECT_MIN: Final = 2.2
"""Two-line crops are at most 1.9 times as wide as high, one-line ones at least 2.6 times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealCrop:
    """One photographed plate.

    Attributes:
        image: The crop.
        text: What its label says.
        layout: Number of lines.
        source: Family of pictures.
        group: Names its plate without telling its text.
        has_doubtful_label: Whether a person who looked at it saw another text.
        file: Path in the pool; empty for a crop from elsewhere.
    """

    image: BgrImage
    text: str
    layout: PlateLayout
    source: str
    group: str
    has_doubtful_label: bool = False
    file: str = ""


def load_real_crops(pool: Path, split: Split) -> tuple[RealCrop, ...]:
    """Real crops of one use, without the source that is held out.

    Args:
        pool: Folder of real pictures.
        split: ``HOLD_OUT`` gives the source that no training sees; its plates
            that training does see elsewhere are left out.
    """
    rows = read_manifest(PLATE_CROPS)
    if split is not Split.HOLD_OUT:
        wanted = [row for row in rows_of(rows, split) if _source(row) != HELD_OUT_SOURCE]
    else:
        trained = {
            row.group
            for row in rows
            if row.split is Split.TRAIN and _source(row) != HELD_OUT_SOURCE
        }
        wanted = [r for r in rows if _source(r) == HELD_OUT_SOURCE and r.group not in trained]
    return _load(pool, wanted)


def is_for_calibration(group: str) -> bool:
    """Whether a validation plate calibrates the reader; the others only measure."""
    digits = int(re.sub(r"\D", "", group) or 0)
    return digits % 2 == 0


def load_reviewed_crops(folder: Path, *, today: date) -> tuple[RealCrop, ...]:
    """Crops of production that a person has read and that may still be used.

    Args:
        folder: See ``models.datasets.reviewed``.
        today: Day by which expiry is judged.

    Raises:
        DatasetError: The folder is none, or a line of it is not as its format says.
    """
    found = read_reviewed(folder, today=today)
    if found.problems:
        raise DatasetError(f"{folder.name}: {found.problems[0]}; luuthong-models reviewed check")
    numbers = {text: number for number, text in enumerate({crop.text for crop in found.crops})}
    return tuple(
        RealCrop(
            image=_read_picture(crop.path),
            text=crop.text,
            layout=crop.layout,
            source=crop.source,
            group=f"reviewed-{numbers[crop.text]}",
        )
        for crop in found.crops
    )


def load_real_scenes(pool: Path) -> tuple[RealPlate, ...]:
    """The training split's scenes of one plate whose text is known."""
    groups = {row.file: row.group for row in rows_of(read_manifest(PLATE_SCENES), Split.TRAIN)}
    plates = []
    for scene in read_plate_scenes(pool):
        if scene.file not in groups or len(scene.boxes) != 1 or len(scene.plate_texts) != 1:
            continue
        image = _read_picture(pool / scene.file)
        corners = box_corners(scene.boxes[0], image=image)
        width, height = np.ptp(corners, axis=0)
        is_long = width > _ONE_LINE_ASPECT_MIN * height
        plates.append(
            RealPlate(
                image=image,
                corners_px=corners,
                text=next(iter(scene.plate_texts)),
                layout=PlateLayout.ONE_LINE if is_long else PlateLayout.TWO_LINE,
                group=groups[scene.file],
            )
        )
    return tuple(plates)


def _source(row: ManifestRow) -> str:
    return Path(row.file).name.split("_")[0]


def _load(pool: Path, rows: Sequence[ManifestRow]) -> tuple[RealCrop, ...]:
    texts = {crop.file: crop.text for crop in read_plate_crops(pool)}
    doubtful = read_doubtful_labels()
    crops = []
    for row in rows:
        image = _read_picture(pool / row.file)
        name = Path(row.file).stem
        is_long = "CarLongPlate" in name or name.startswith(HELD_OUT_SOURCE) or _is_wide(image)
        crops.append(
            RealCrop(
                image=image,
                text=texts[row.file],
                layout=PlateLayout.ONE_LINE if is_long else PlateLayout.TWO_LINE,
                source="gate-car" if "CarLongPlate" in name else _family(name),
                group=row.group,
                has_doubtful_label=row.sha256 in doubtful,
                file=row.file,
            )
        )
    return tuple(crops)


def _read_picture(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError("a plate picture is missing or can not be decoded; check the manifest")
    return np.asarray(image, dtype=np.uint8)


def _is_wide(image: BgrImage) -> bool:
    return bool(image.shape[1] > _ONE_LINE_ASPECT_MIN * image.shape[0])


def _family(name: str) -> str:
    if name.startswith(HELD_OUT_SOURCE):
        return HELD_OUT_SOURCE
    return "gate-motorbike" if "xemay" in name else "other"
