# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the pool of real pictures, which lies beside the project and never in it.

The pool has no licence for the pictures, and they show real plates: this
module reads them where they are, and no text of a plate leaves memory.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import DatasetError

PROJECT_FOLDER: Final = Path(__file__).resolve().parents[2]
DEFAULT_POOL_FOLDER: Final = PROJECT_FOLDER.parent / "shared" / "data"
MAX_ROWS: Final = 100_000
_CROP_OF_SCENE: Final = re.compile(r"xla_\d+?(?P<stem>(?:xemay|CarLongPlate)\d+)$")
_LABEL_FIELDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledBox:
    """One box of a picture's label file, all numbers as shares of the picture."""

    class_id: int
    centre_x: float
    centre_y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateScene:
    """A picture of a vehicle with its plates boxed.

    Attributes:
        file: Path relative to the pool, with slashes.
        source: First part of the name: ``gpm``, ``gpc``, ``cam``, ``mil``, ``dip``.
        boxes: Plates of the picture.
        plate_texts: Every text that the pool gives for this picture; empty
            when nobody wrote it down.
    """

    file: str
    source: str
    boxes: tuple[LabelledBox, ...]
    plate_texts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateCrop:
    """A picture of one plate with its text."""

    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VehiclePicture:
    """A road with its vehicles boxed; ``class_id`` as in the pool's own order."""

    file: str
    boxes: tuple[LabelledBox, ...]


def require_pool(pool: Path) -> Path:
    """The pool's folder, or an error that says where it was looked for.

    Raises:
        DatasetError: The folder lacks plates or vehicles.
    """
    for part in ("plates/scenes", "plates/crops/labels.csv", "vehicles/images"):
        if not (pool / part).exists():
            raise DatasetError(
                f"no {part} in {pool.name}/: give the folder of real pictures with --data"
            )
    return pool


def read_plate_crops(pool: Path) -> tuple[PlateCrop, ...]:
    """All crops with a text, by file name."""
    rows = _read_rows(pool / "plates" / "crops" / "labels.csv", columns=("file", "text"))
    crops = (PlateCrop(file=f"plates/crops/{row['file']}", text=row["text"]) for row in rows)
    return tuple(sorted(crops, key=lambda crop: crop.file))


def read_plate_scenes(pool: Path) -> tuple[PlateScene, ...]:
    """All scenes, by file name, with the plate texts that belong to them.

    A crop belongs to a scene by its original's name: crop ``12xemay345`` was
    cut from scene ``xemay345``.
    """
    texts_of_original: dict[str, set[str]] = {}
    for crop in read_plate_crops(pool):
        match = _CROP_OF_SCENE.match(Path(crop.file).stem)
        if match is not None:
            texts_of_original.setdefault(match["stem"], set()).add(crop.text)
    sources = _read_rows(pool / "plates" / "SOURCES.csv", columns=("file", "path"))
    original_of = {row["file"]: Path(row["path"]).stem for row in sources}
    scenes = []
    for path in sorted((pool / "plates" / "scenes").glob("*.jpg")):
        name = f"scenes/{path.name}"
        texts = texts_of_original.get(original_of.get(name, ""), set())
        scenes.append(
            PlateScene(
                file=f"plates/{name}",
                source=path.stem.split("_")[0],
                boxes=read_boxes(path.with_suffix(".txt")),
                plate_texts=frozenset(texts),
            )
        )
    return tuple(scenes)


def read_vehicle_pictures(pool: Path) -> tuple[VehiclePicture, ...]:
    """All road pictures, by file name."""
    folder = pool / "vehicles"
    return tuple(
        VehiclePicture(
            file=f"vehicles/images/{path.name}",
            boxes=read_boxes(folder / "labels" / f"{path.stem}.txt"),
        )
        for path in sorted((folder / "images").glob("*.jpg"))
    )


def read_boxes(path: Path) -> tuple[LabelledBox, ...]:
    """Boxes of a YOLO label file: class, centre x, centre y, width, height per line.

    Raises:
        DatasetError: The file is absent or a line is no box.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DatasetError(f"no labels {path.name}") from error
    return tuple(_parse_box(line, path=path) for line in lines if line.strip())


def _parse_box(line: str, *, path: Path) -> LabelledBox:
    fields = line.split()
    if len(fields) != _LABEL_FIELDS:
        raise DatasetError(f"{path.name}: a line has {len(fields)} fields, not {_LABEL_FIELDS}")
    try:
        class_id, (x, y, width, height) = int(fields[0]), map(float, fields[1:])
    except ValueError as error:
        raise DatasetError(f"{path.name}: a field is no number") from error
    return LabelledBox(class_id=class_id, centre_x=x, centre_y=y, width=width, height=height)


def _read_rows(path: Path, *, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not set(columns) <= set(reader.fieldnames or ()):
                raise DatasetError(f"{path.name} lacks one of the columns {', '.join(columns)}")
            for number, row in enumerate(reader):
                if number >= MAX_ROWS:
                    raise DatasetError(f"{path.name} has more than {MAX_ROWS} rows")
                yield row
    except OSError as error:
        raise DatasetError(f"{path.name} can not be read") from error
