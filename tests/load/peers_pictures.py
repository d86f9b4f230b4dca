# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pictures of one plate with its text, for ours and theirs alike.

Real ones that no training of ours has seen, and rendered ones; every set is
thinned evenly to a number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.datasets.manifest import PLATE_CROPS, PLATE_SCENES, read_manifest, rows_of
from models.datasets.pool import read_plate_crops, read_plate_scenes
from models.datasets.splits import Split
from models.datasets.synth.camera import photograph, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate_of_today
from models.datasets.synth.road.plan import demo_plan
from models.datasets.synth.scene import render_clip, scene_truth
from models.runtime.images import cropped
from models.runtime.values import BgrImage, BoxPx, overlap

RENDERED_SEED: Final = 2040
VIEW_PLATES: Final = 7.0
PLATE_HEIGHT_PX: Final = 140
FAR_SOURCE: Final = "pbl"


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePicture:
    """A picture of one plate, the text on it, and whether it was cut out already."""

    path: Path
    text: str
    is_crop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSet:
    """Pictures of one kind; ``name`` is how the table calls them."""

    name: str
    pictures: tuple[TruePicture, ...]


def real_sets(pool: Path, *, limit: int) -> Iterator[PictureSet]:
    """Scenes and crops of the validation split, whose plates no training saw."""
    of_split = {row.file for row in rows_of(read_manifest(PLATE_SCENES), Split.VALIDATION)}
    scenes = [
        TruePicture(path=pool / scene.file, text=next(iter(scene.plate_texts)), is_crop=False)
        for scene in read_plate_scenes(pool)
        if scene.file in of_split and len(scene.boxes) == len(scene.plate_texts) == 1
    ]
    yield PictureSet(name="gate pictures, validation", pictures=thinned(scenes, limit=limit))
    files = {row.file for row in rows_of(read_manifest(PLATE_CROPS), Split.VALIDATION)}
    crops = [
        TruePicture(path=pool / crop.file, text=crop.text, is_crop=True)
        for crop in read_plate_crops(pool)
        if crop.file in files
    ]
    near = [crop for crop in crops if not crop.path.name.startswith(FAR_SOURCE)]
    far = [crop for crop in crops if crop.path.name.startswith(FAR_SOURCE)]
    yield PictureSet(name="gate crops, validation", pictures=thinned(near, limit=limit))
    yield PictureSet(name="tiny crops, held-out source", pictures=thinned(far, limit=limit))


def rendered_sets(folder: Path, *, limit: int) -> Iterator[PictureSet]:
    """Rendered roads and rendered crops, written to a folder as PNG."""
    roads = [
        TruePicture(path=save(folder / f"road-{index}.png", image), text=text, is_crop=False)
        for index, (image, text) in enumerate(_roads(limit))
    ]
    yield PictureSet(name="rendered roads: day, rain, night", pictures=tuple(roads))
    rng = np.random.default_rng(RENDERED_SEED)
    crops = []
    for index in range(limit):
        spec = random_plate_spec(rng)
        plate = render_plate_of_today(spec, height_px=PLATE_HEIGHT_PX, rng=rng)
        image = photograph(plate, rng=rng, severity=random_severity(rng))
        path = save(folder / f"crop-{index}.png", image)
        crops.append(TruePicture(path=path, text=spec.text, is_crop=True))
    yield PictureSet(name="rendered crops: all formats, tilt, wear", pictures=tuple(crops))


def thinned(pictures: Sequence[TruePicture], *, limit: int) -> tuple[TruePicture, ...]:
    """At most so many, spread evenly over all."""
    if len(pictures) <= limit:
        return tuple(pictures)
    return tuple(pictures[index * len(pictures) // limit] for index in range(limit))


def save(path: Path, image: BgrImage) -> Path:
    """Write a picture without loss."""
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return path


def _roads(limit: int) -> Iterator[tuple[BgrImage, str]]:
    """Views of a rendered road with one whole plate in them, where that plate is widest."""
    plan = demo_plan(vehicle_count=limit, seed=RENDERED_SEED)
    truths = scene_truth(plan)
    boxes_in: dict[int, list[BoxPx]] = {}
    for truth in truths:
        for sight in truth.sights:
            boxes_in.setdefault(sight.frame, []).append(sight.box_px)
    wanted: dict[int, list[tuple[BoxPx, str]]] = {}
    for truth in truths:
        frames = range(truth.first_frame, truth.last_frame + 1)
        readable = [sight for sight in truth.sights if sight.frame in frames]
        widest = max(readable, key=lambda sight: sight.box_px.width, default=None)
        if widest is None:
            continue
        view = _view_of(widest.box_px)
        others = [box for box in boxes_in[widest.frame] if box != widest.box_px]
        if all(overlap(view, box) == 0 for box in others):
            wanted.setdefault(widest.frame, []).append((view, truth.plate_text))
    clip = render_clip(plan, rng=np.random.default_rng(RENDERED_SEED))
    for index, frame in enumerate(clip):
        for view, text in wanted.get(index, ()):
            yield cropped(frame, view), text


def _view_of(plate: BoxPx) -> BoxPx:
    """A part of the frame as a gate camera would show it: the plate a seventh of its width."""
    x_px, y_px = plate.centre
    half_width, half_height = VIEW_PLATES / 2 * plate.width, VIEW_PLATES / 3 * plate.width
    return BoxPx(
        x_min=x_px - half_width,
        y_min=y_px - half_height,
        x_max=x_px + half_width,
        y_max=y_px + half_height,
    )
