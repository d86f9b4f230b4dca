# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rendered road pictures with known boxes, for plates and weather that the pool lacks.

Each picture has its own seed, so that a stopped run goes on where it was and
makes the same pictures.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.datasets.pool import LabelledBox
from models.datasets.synth.scene import RoadPicture, training_scene
from models.datasets.yolo import ExtraPicture
from models.errors import DatasetError
from models.runtime.values import BoxPx

MAX_PICTURES: Final = 20_000
JPEG_QUALITY: Final = 92
MIN_PLATE_WIDTH_PX: Final = 12.0
_PLATES: Final = "plates"
_VEHICLES: Final = "vehicles"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPicture:
    """A rendered picture on disk.

    Attributes:
        path: The JPEG file.
        plates: Boxes of plates, class 0.
        vehicles: Boxes of vehicles, class as index in the labels asked for.
    """

    path: Path
    plates: tuple[LabelledBox, ...]
    vehicles: tuple[LabelledBox, ...]


def render_pictures(
    folder: Path, *, count: int, seed: int, labels: Sequence[str]
) -> tuple[RenderedPicture, ...]:
    """Render pictures that are not yet there, and list all of them.

    Args:
        folder: Where they are kept; made if absent.
        count: How many, 0 to ``MAX_PICTURES``.
        seed: Decides every picture together with its number.
        labels: Names of vehicle classes, in the order of their class numbers.
    """
    if not 0 <= count <= MAX_PICTURES:
        raise DatasetError(f"rendered pictures must number 0 to {MAX_PICTURES}, got {count}")
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(
        _picture(folder, seed=seed, number=number, labels=labels) for number in range(count)
    )


def plate_pictures(pictures: Iterable[RenderedPicture]) -> tuple[ExtraPicture, ...]:
    """Pictures as the plate detector's training takes them."""
    return tuple(ExtraPicture(path=one.path, boxes=one.plates) for one in pictures)


def vehicle_pictures(pictures: Iterable[RenderedPicture]) -> tuple[ExtraPicture, ...]:
    """Pictures as the vehicle detector's training takes them."""
    return tuple(ExtraPicture(path=one.path, boxes=one.vehicles) for one in pictures)


def _picture(folder: Path, *, seed: int, number: int, labels: Sequence[str]) -> RenderedPicture:
    path = folder / f"rendered_{seed}_{number:05d}.jpg"
    truth = path.with_suffix(".json")
    if not truth.exists():
        scene = training_scene(np.random.default_rng([seed, number]))
        cv2.imwrite(str(path), scene.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        truth.write_text(json.dumps(_truth(scene)), encoding="utf-8")
    kept = json.loads(truth.read_text(encoding="utf-8"))
    return RenderedPicture(
        path=path,
        plates=tuple(_box(0, shares) for shares in kept[_PLATES]),
        vehicles=tuple(_box(labels.index(label), shares) for label, shares in kept[_VEHICLES]),
    )


def _truth(scene: RoadPicture) -> dict[str, object]:
    height, width = scene.image.shape[:2]
    plates = [box for box in scene.plate_boxes_px if box.width >= MIN_PLATE_WIDTH_PX]
    return {
        _PLATES: [_shares(box, width_px=width, height_px=height) for box in plates],
        _VEHICLES: [
            (one.vehicle_class.value, _shares(one.box_px, width_px=width, height_px=height))
            for one in scene.vehicles
        ],
    }


def _shares(box: BoxPx, *, width_px: int, height_px: int) -> tuple[float, float, float, float]:
    x, y = box.centre
    return x / width_px, y / height_px, box.width / width_px, box.height / height_px


def _box(class_id: int, shares: Sequence[float]) -> LabelledBox:
    x, y, width, height = shares
    return LabelledBox(class_id=class_id, centre_x=x, centre_y=y, width=width, height=height)
