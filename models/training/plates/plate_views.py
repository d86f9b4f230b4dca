# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photographed plates seen again from elsewhere, in surroundings of real vehicles.

The pool's cameras look at plates from the front. Its pictures are tilted,
shrunk and spoiled here as rendered plates are, so that what is learned of
real paint and light holds for street and phone pictures too. The pool's
pictures are used in memory only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.manifest import PLATE_SCENES, VEHICLES, labels_path, read_manifest, rows_of
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.splits import Split
from models.datasets.synth.camera import Severity, degrade, photographed
from models.errors import DatasetError
from models.runtime.values import BgrImage, FloatArray

_BLANK_HEIGHT_PX: Final = 24
_ASPECT_RANGE: Final = (1.0, 6.0)
_GROUND_PX: Final = (60, 260)
_GROUNDS_PER_PICTURE: Final = 2
_GROUND_TRIES: Final = 6
_EVEN_ODDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A crop and where its plate lies, shape ``(4, 2)`` in pixels, clockwise from its top left."""

    image: BgrImage
    corners_px: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateScenePicture:
    """A whole picture of the pool with the corners of one plate's box."""

    image: BgrImage
    corners_px: FloatArray


def reprojected(
    picture: BgrImage,
    corners_px: FloatArray,
    *,
    rng: Generator,
    severity: Severity,
    ground: BgrImage | None = None,
) -> View:
    """A photographed plate from another viewpoint, cut out as a detector would.

    Args:
        picture: Crop or scene that shows the plate.
        corners_px: The plate's corners in it, shape ``(4, 2)``.
        rng: Source of randomness.
        severity: Conditions that are added to those the picture has.
        ground: What shows where the picture ends; ``None`` repeats its edge.
    """
    blank = np.full((_BLANK_HEIGHT_PX, round(_BLANK_HEIGHT_PX * _aspect(corners_px)), 3), 90)
    shot = photographed(blank.astype(np.uint8), rng=rng, severity=severity)
    target = shot.corners_px
    factor = min(1.0, 1.25 * _reach(target) / max(_reach(corners_px), 1.0))
    source = corners_px
    if factor < 1.0:
        picture = np.asarray(
            cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
        )
        source = corners_px * np.float32(factor)
    matrix = np.asarray(
        cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32)),
        np.float64,
    )
    height, width = shot.image.shape[:2]
    warped = _warped(picture, matrix, size=(width, height), ground=ground)
    return View(image=degrade(warped, rng=rng, severity=severity), corners_px=target)


def _warped(
    picture: BgrImage,
    matrix: NDArray[np.float64],
    *,
    size: tuple[int, int],
    ground: BgrImage | None,
) -> BgrImage:
    if ground is None:
        result = cv2.warpPerspective(
            picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    else:
        around = np.asarray(cv2.resize(ground, size, interpolation=cv2.INTER_AREA), np.uint8)
        result = cv2.warpPerspective(
            picture, matrix, size, dst=around, flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )  # fmt: skip
    return np.asarray(result, dtype=np.uint8)


def _sides(corners_px: FloatArray) -> tuple[float, float]:
    """Mean width and mean height of four corners."""
    sides = np.linalg.norm(np.roll(corners_px, -1, axis=0) - corners_px, axis=1)
    return float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2


def _aspect(corners_px: FloatArray) -> float:
    width, height = _sides(corners_px)
    return float(np.clip(width / max(height, 1.0), *_ASPECT_RANGE))


def _reach(corners_px: FloatArray) -> float:
    return max(_sides(corners_px))


def load_plate_scenes(pool: Path) -> tuple[PlateScenePicture, ...]:
    """The training split's scenes with one labelled plate each."""
    scenes = []
    for row in rows_of(read_manifest(PLATE_SCENES), Split.TRAIN):
        boxes = read_boxes(labels_path(pool, row.file) or pool / row.file)
        if len(boxes) == 1:
            image = _read(pool / row.file)
            scenes.append(
                PlateScenePicture(image=image, corners_px=box_corners(boxes[0], image=image))
            )
    return tuple(scenes)


def load_grounds(pool: Path, *, seed: int, limit: int) -> tuple[BgrImage, ...]:
    """Cuts from training pictures that hold no labelled plate, for what lies around one.

    Args:
        pool: Folder of real pictures.
        seed: Which cuts.
        limit: How many at most.
    """
    rng = np.random.default_rng(seed)
    rows = [
        row
        for name in (PLATE_SCENES, VEHICLES)
        for row in rows_of(read_manifest(name), Split.TRAIN)
    ]
    grounds: list[BgrImage] = []
    for index in rng.permutation(len(rows)):
        row = rows[int(index)]
        image = _read(pool / row.file)
        is_scene = row.file.startswith("plates/")
        boxes = read_boxes(labels_path(pool, row.file) or pool / row.file) if is_scene else ()
        taken = [box_corners(box, image=image) for box in boxes]
        for _ in range(_GROUNDS_PER_PICTURE):
            cut = _cut_without(image, taken, rng)
            if cut is not None:
                grounds.append(cut)
        if len(grounds) >= limit:
            break
    return tuple(grounds[:limit])


def _cut_without(image: BgrImage, taken: Sequence[FloatArray], rng: Generator) -> BgrImage | None:
    height, width = image.shape[:2]
    for _ in range(_GROUND_TRIES):
        w = int(min(width - 1, rng.integers(*_GROUND_PX)))
        h = int(min(height - 1, w * rng.uniform(0.3, 0.9)))
        x, y = int(rng.integers(width - w)), int(rng.integers(height - h))
        meets = any(
            c[:, 0].min() < x + w
            and c[:, 0].max() > x
            and c[:, 1].min() < y + h
            and c[:, 1].max() > y
            for c in taken
        )
        if not meets:
            return image[y : y + h, x : x + w].copy()
    return None


def any_ground(grounds: Sequence[BgrImage], rng: Generator) -> BgrImage | None:
    """A random cut, mirrored half of the time; ``None`` where there are none."""
    if not grounds:
        return None
    ground = grounds[int(rng.integers(len(grounds)))]
    return np.ascontiguousarray(ground[:, ::-1]) if rng.random() < _EVEN_ODDS else ground


def box_corners(box: LabelledBox, *, image: BgrImage) -> FloatArray:
    """Corners of a labelled box in pixels, shape ``(4, 2)``, clockwise from the top left."""
    height, width = image.shape[:2]
    x0, x1 = (box.centre_x - box.width / 2) * width, (box.centre_x + box.width / 2) * width
    y0, y1 = (box.centre_y - box.height / 2) * height, (box.centre_y + box.height / 2) * height
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)


def _read(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path.name} is missing or is no picture; check the manifest")
    return np.asarray(image, dtype=np.uint8)
