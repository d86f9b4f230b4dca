# SPDX-License-Identifier: AGPL-3.0-or-later
"""The frozen pictures: drawing them once, and reading them back with their truth."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from models.datasets.pasted import Ground, pasted_picture
from models.datasets.synth.camera import Photograph, photographed, random_severity
from models.datasets.synth.not_plates import random_not_plate
from models.datasets.synth.plates import PlateSpec, random_plate_spec, render_plate
from models.datasets.synth.scene import RoadPicture, training_scene
from models.errors import DatasetError
from models.evaluation.detection import Truth, read_picture
from models.evaluation.picture_qualities import crop_facets
from models.evaluation.reading_conditions import CONDITIONS, photographed_plate, rendered_facets
from models.evaluation.sequences import HARD
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR, file_sha256
from models.runtime.values import BgrImage, BoxPx

FROZEN_FOLDER: Final = Path(__file__).resolve().parent / "pictures"
MIXED: Final = "mixed"
TRACK: Final = "hard track"
NOT_PLATE: Final = "no plate"
MAX_TOTAL_BYTES: Final = 4_000_000
_CROPS_FILE: Final = "crops.csv"
_SCENES_FILE: Final = "scenes.csv"
_PER_CONDITION: Final = 30
_MIXED_CROPS: Final = 110
_TRACKS: Final = 36
_NOT_PLATES: Final = 40
_LOOKS: Final = 3
_SCENES: Final = 28
_PASTED: Final = 14
_SCENE_SIDE_PX: Final = 640
_NO_BOX: Final = ("", "", "", "", "")
"""Says that the model is judged on the picture, boxes or not."""
_PLATE_HEIGHT_PX: Final = 120
_SEED: Final = 20261127
_CROP_QUALITY: Final = 80
_SCENE_QUALITY: Final = 80
_MAX_ROWS: Final = 10_000
_FACETS: Final = (
    "condition", "layout", "colour", "vehicle", "light", "blur", "tilt", "glyphs",
)  # fmt: skip
_CROP_COLUMNS: Final = ("file", "text", "track", *_FACETS)
_SCENE_COLUMNS: Final = ("file", "model", "label", "x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCrop:
    """One crop: its picture, what it says, its track if any, and its slices.

    ``text`` is empty where the crop shows no Vietnamese plate.
    """

    image: BgrImage
    text: str
    track: str
    facets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenScene:
    """One road picture with what each detector should find in it; ``None`` where not to judge."""

    image: BgrImage
    plates: tuple[Truth, ...] | None
    vehicles: tuple[Truth, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenSet:
    """All of it.

    Attributes:
        sha256: Over every file of the set; another set has another digest.
        crops: In the order of the file.
        scenes: In the order of the file.
    """

    sha256: str
    crops: tuple[FrozenCrop, ...]
    scenes: tuple[FrozenScene, ...]


def read_frozen(folder: Path = FROZEN_FOLDER) -> FrozenSet:
    """The kept pictures with their truth.

    Raises:
        DatasetError: A file is missing or malformed.
    """
    crops = tuple(
        FrozenCrop(
            image=read_picture(folder / row["file"]),
            text=row["text"],
            track=row["track"],
            facets={facet: row[facet] for facet in _FACETS if row[facet]},
        )
        for row in _rows(folder / _CROPS_FILE, columns=_CROP_COLUMNS)
    )
    truths: dict[str, dict[str, list[Truth]]] = {}
    for row in _rows(folder / _SCENES_FILE, columns=_SCENE_COLUMNS):
        boxes = truths.setdefault(row["file"], {}).setdefault(row["model"], [])
        if row["label"]:
            boxes.append(_truth(row))
    scenes = tuple(
        FrozenScene(
            image=read_picture(folder / file),
            plates=_judged(of_file.get(PLATE_DETECTOR)),
            vehicles=_judged(of_file.get(VEHICLE_DETECTOR)),
        )
        for file, of_file in truths.items()
    )
    return FrozenSet(sha256=_digest(folder), crops=crops, scenes=scenes)


def make_frozen(folder: Path = FROZEN_FOLDER) -> int:
    """Draw the set anew in place of the old one.

    Returns:
        Its size in bytes.

    Raises:
        DatasetError: It became larger than ``MAX_TOTAL_BYTES``; nothing is undone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*.jpg"), *folder.glob("*.csv")]:
        old.unlink()
    rng = np.random.default_rng(_SEED)
    _write_rows(folder / _CROPS_FILE, _CROP_COLUMNS, _draw_crops(folder, rng))
    _write_rows(folder / _SCENES_FILE, _SCENE_COLUMNS, _draw_scenes(folder, rng))
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > MAX_TOTAL_BYTES:
        raise DatasetError(f"the frozen pictures take {size} bytes, at most {MAX_TOTAL_BYTES} fit")
    return size


def _draw_crops(folder: Path, rng: Generator) -> Iterator[tuple[str, ...]]:
    for number, (condition, track, spec, shown) in enumerate(_photographs(rng), start=1):
        file = f"crop-{number:03d}.jpg"
        _write_picture(folder / file, shown.image, quality=_CROP_QUALITY)
        facets = rendered_facets(spec) | crop_facets(shown.image, shown.corners_px)
        facets["condition"] = condition
        yield (file, spec.text, track, *(facets[name] for name in _FACETS))
    for number in range(_NOT_PLATES):
        file = f"other-{number:02d}.jpg"
        _write_picture(folder / file, random_not_plate(rng), quality=_CROP_QUALITY)
        facets = dict.fromkeys(_FACETS, "") | {"condition": NOT_PLATE}
        yield (file, "", "", *(facets[name] for name in _FACETS))


def _photographs(rng: Generator) -> Iterator[tuple[str, str, PlateSpec, Photograph]]:
    """Condition, track, plate and photograph of every crop."""
    for condition, severity in CONDITIONS.items():
        for _ in range(_PER_CONDITION):
            spec = random_plate_spec(rng)
            yield condition, "", spec, photographed_plate(spec, rng=rng, severity=severity)
    for _ in range(_MIXED_CROPS):
        spec = random_plate_spec(rng)
        yield MIXED, "", spec, photographed_plate(spec, rng=rng, severity=random_severity(rng))
    for track in range(_TRACKS):
        spec = random_plate_spec(rng)
        plate = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)
        for _ in range(_LOOKS):
            yield TRACK, str(track), spec, photographed(plate, rng=rng, severity=HARD)


def _draw_scenes(folder: Path, rng: Generator) -> Iterator[tuple[str, ...]]:
    """Rendered roads; on some of them the plates are replaced by larger and tilted ones."""
    for number in range(_SCENES):
        file = f"scene-{number:02d}.jpg"
        picture = training_scene(rng)
        scale = _write_scene(folder / file, picture.image)
        yield (file, PLATE_DETECTOR, *_NO_BOX)
        yield (file, VEHICLE_DETECTOR, *_NO_BOX)
        for box in picture.plate_boxes_px:
            yield (file, PLATE_DETECTOR, "plate", *_scaled(box, scale))
        for one in picture.vehicles:
            yield (file, VEHICLE_DETECTOR, one.vehicle_class.value, *_scaled(one.box_px, scale))
        if number < _PASTED:
            yield from _draw_pasted(folder, number, picture, rng)


def _draw_pasted(
    folder: Path, number: int, picture: RoadPicture, rng: Generator
) -> Iterator[tuple[str, ...]]:
    file = f"street-{number:02d}.jpg"
    ground = Ground(
        image=picture.image,
        plates=picture.plate_boxes_px,
        vehicles=tuple(one.box_px for one in picture.vehicles),
        doubtful=(),
    )
    made = pasted_picture(ground, rng=rng)
    scale = _write_scene(folder / file, made.image)
    yield (file, PLATE_DETECTOR, *_NO_BOX)
    for box in made.boxes_px:
        yield (file, PLATE_DETECTOR, "plate", *_scaled(box, scale))


def _write_scene(path: Path, image: BgrImage) -> float:
    """Write a picture at the detectors' size; gives its scale."""
    scale = float(_SCENE_SIDE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _write_picture(path, np.asarray(small, np.uint8), quality=_SCENE_QUALITY)
    return scale


def _judged(boxes: list[Truth] | None) -> tuple[Truth, ...] | None:
    return None if boxes is None else tuple(boxes)


def _scaled(box: BoxPx, scale: float) -> tuple[str, str, str, str]:
    left, top, right, bottom = (
        f"{value * scale:.1f}" for value in (box.x_min, box.y_min, box.x_max, box.y_max)
    )
    return left, top, right, bottom


def _truth(row: Mapping[str, str]) -> Truth:
    try:
        box = BoxPx(
            x_min=float(row["x_min"]),
            y_min=float(row["y_min"]),
            x_max=float(row["x_max"]),
            y_max=float(row["y_max"]),
        )
    except ValueError as error:
        raise DatasetError(f"{_SCENES_FILE}: a box is malformed") from error
    return Truth(label=row["label"], box_px=box)


def _write_picture(path: Path, image: BgrImage, *, quality: int) -> None:
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    path.write_bytes(np.asarray(encoded).tobytes())


def _write_rows(path: Path, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _rows(path: Path, *, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for row, _ in zip(reader, range(_MAX_ROWS), strict=False)]
            if tuple(reader.fieldnames or ()) != columns:
                raise DatasetError(f"{path.name} has other columns than expected")
    except OSError as error:
        raise DatasetError(f"{path.name} is missing from the frozen pictures") from error
    if any(None in row or None in row.values() for row in rows):
        raise DatasetError(f"{path.name} has a line of another length")
    return rows


def _digest(folder: Path) -> str:
    """One digest over names and bytes of all files, in order of their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest.update(f"{path.name} {file_sha256(path)}\n".encode())
    return digest.hexdigest()
