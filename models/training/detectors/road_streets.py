# SPDX-License-Identifier: AGPL-3.0-or-later
"""Further road pictures for the vehicle detector: mended, from elsewhere, denser and darker.

Fixed cameras' pictures lack boxes far away; recordings have none. Two teachers look at them: the
untouched COCO network, which knows many roads, and the network of the round before, which knows
small motorbikes. What they are sure of is labelled, what they doubt is smeared away.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.datasets.manifest import ManifestRow, labels_path, source_of
from models.datasets.pasted import smeared
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.riders import MOTORCYCLE_CLASS, PERSON_CLASS, with_riders
from models.datasets.traffic import (
    MOTORCYCLE,
    Cutout,
    RoadVehicle,
    cut_out,
    traffic_picture,
)
from models.datasets.yolo import ExtraPicture
from models.errors import DatasetError
from models.runtime.values import BgrImage, BoxPx, overlap
from models.training.detectors.teachers import Seen, Teacher, teacher
from models.training.detectors.warm_start import coco_network

# Any in this module: torch publishes no types that mypy could check here.

MENDED_STEPS: Final = {"idtoll": 4, "vn": 2}
"""Sources whose far vehicles often bear no box, and of how many pictures one is mended."""
RECORDINGS: Final = {
    "opendatacam_640x360.mp4": 12,
    "otvision_Cars-Cyclist.mp4": 20,
    "otvision_Cars-Truck.mp4": 20,
}
JPEG_QUALITY: Final = 92
SURE: Final = 0.45
DOUBTFUL: Final = 0.15
TEACHER_SIDE_PX: Final = 800
MIN_SIDE_SHARE: Final = 0.008
SAME_OVERLAP: Final = 0.4
LARGEST_SMEARED_SHARE: Final = 0.05
VEHICLE_CLASSES: Final = 4
MIN_CUT_HEIGHT_PX: Final = 26
MAX_CUTOUTS: Final = 420
_OTHER_CUTOUT_SHARE: Final = 0.12
_LONGEST_GROUND_PX: Final = 1280
# What the COCO network's classes are in the pool; a person only widens a motorcycle.
_POOL_CLASS_OF_COCO: Final = {0: PERSON_CLASS, 2: 0, 3: MOTORCYCLE_CLASS, 5: 2, 7: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Road:
    """A picture on disk and its vehicles in pixels."""

    path: Path
    vehicles: tuple[RoadVehicle, ...]


def road_pictures(
    folder: Path,
    *,
    rows: Sequence[ManifestRow],
    pool: Path,
    count: int,
    seed: int,
    network: Callable[[], Any],
) -> tuple[ExtraPicture, ...]:
    """Make the pictures that are not yet there, and list all of them.

    Args:
        folder: Where they are kept; made if absent.
        rows: Pictures to learn from.
        pool: Folder of real pictures.
        count: How many denser and darker ones; the mended ones come on top.
        seed: Decides every made picture together with its number.
        network: Builds the network of the round before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mended = _mended_roads(folder, rows=rows, pool=pool, network=network)
    roads = [*mended, *_labelled_roads(pool, rows=rows)]
    made = []
    cutouts: tuple[Cutout, ...] = ()
    for number in range(count):
        path = folder / f"traffic_{seed}_{number:05d}.jpg"
        if not path.with_suffix(".json").exists():
            cutouts = cutouts or _cutouts(roads)
            rng = np.random.default_rng([seed, number])
            road = _drawn(roads, rng)
            picture = traffic_picture(_read(road.path), road.vehicles, cutouts=cutouts, rng=rng)
            _write(path, picture.image, picture.vehicles)
        made.append(_listed(path))
    return (*(_listed(road.path) for road in mended), *made)


def _mended_roads(
    folder: Path, *, rows: Sequence[ManifestRow], pool: Path, network: Callable[[], Any]
) -> list[_Road]:
    teachers: tuple[Teacher, Teacher] | None = None
    roads = []
    for name, read, labels in _unmended(pool, rows=rows):
        path = folder / f"mended_{name}.jpg"
        if not path.with_suffix(".json").exists():
            if teachers is None:
                coco = teacher(coco_network(pool), side_px=TEACHER_SIDE_PX, min_confidence=DOUBTFUL)
                before = teacher(network(), side_px=TEACHER_SIDE_PX, min_confidence=DOUBTFUL)
                teachers = (coco, before)
            image = _shrunk(read())
            vehicles, doubtful = _looked_at(image, labels, teachers=teachers)
            _write(path, smeared(image, doubtful), vehicles)
        roads.append(_road(path))
    return roads


def _unmended(
    pool: Path, *, rows: Sequence[ManifestRow]
) -> Iterable[tuple[str, Callable[[], BgrImage], tuple[LabelledBox, ...]]]:
    """Name, pixels and known boxes of every picture that lacks boxes."""
    for source, step in MENDED_STEPS.items():
        of_source = [row for row in rows if source_of(row.file) == source]
        for row in of_source[::step]:
            path = pool / row.file
            yield path.stem, partial(_read, path), _boxes(pool, row)
    for recording, step in RECORDINGS.items():
        path = pool / "videos" / recording
        if not path.is_file():
            raise DatasetError(f"no videos/{recording} in {pool.name}/")
        frames = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
        for number in range(0, frames, step):
            name = f"{path.stem}_{number:05d}"
            yield name, partial(_frame, path, number), ()


def _labelled_roads(pool: Path, *, rows: Sequence[ManifestRow]) -> list[_Road]:
    """Roads whose boxes are complete as they are."""
    roads = []
    for row in rows:
        if source_of(row.file) in MENDED_STEPS:
            continue
        path = pool / row.file
        width, height = _size(path)
        vehicles = tuple(
            RoadVehicle(
                class_id=box.class_id, box_px=_in_pixels(box, width_px=width, height_px=height)
            )
            for box in with_riders(_boxes(pool, row))
            if box.class_id < VEHICLE_CLASSES
        )
        roads.append(_Road(path=path, vehicles=vehicles))
    return roads


def _looked_at(
    image: BgrImage, labels: Sequence[LabelledBox], *, teachers: tuple[Teacher, Teacher]
) -> tuple[list[RoadVehicle], list[BoxPx]]:
    """All vehicles of a picture, and what may be one."""
    height, width = image.shape[:2]
    known = [
        RoadVehicle(class_id=box.class_id, box_px=_in_pixels(box, width_px=width, height_px=height))
        for box in with_riders(labels)
        if box.class_id < VEHICLE_CLASSES
    ]
    coco, before = teachers
    seen = sorted(
        [*_with_riders_seen(coco(image), image), *before(image)], key=lambda one: -one.confidence
    )
    doubtful: list[BoxPx] = []
    for one in seen:
        box = one.box_px
        if any(overlap(box, other.box_px) > SAME_OVERLAP for other in known):
            continue
        if min(box.width / width, box.height / height) < MIN_SIDE_SHARE:
            doubtful.append(box)
        elif one.confidence >= SURE:
            known.append(RoadVehicle(class_id=one.class_id, box_px=box))
        elif box.width * box.height < LARGEST_SMEARED_SHARE * width * height:
            doubtful.append(box)
    clear = [box for box in doubtful if not any(overlap(box, one.box_px) > 0 for one in known)]
    return known, clear


def _with_riders_seen(seen: Iterable[Seen], image: BgrImage) -> list[Seen]:
    """What the COCO network sees, in our classes, riders joined to their motorcycles."""
    height, width = image.shape[:2]
    kept = [one for one in seen if one.class_id in _POOL_CLASS_OF_COCO]
    boxes = [
        LabelledBox(
            class_id=_POOL_CLASS_OF_COCO[one.class_id],
            centre_x=one.box_px.centre[0] / width,
            centre_y=one.box_px.centre[1] / height,
            width=one.box_px.width / width,
            height=one.box_px.height / height,
        )
        for one in kept
    ]
    return [
        Seen(
            class_id=box.class_id,
            confidence=one.confidence,
            box_px=_in_pixels(box, width_px=width, height_px=height),
        )
        for one, box in zip(kept, with_riders(boxes), strict=True)
        if box.class_id < VEHICLE_CLASSES
    ]


def _drawn(roads: Sequence[_Road], rng: np.random.Generator) -> _Road:
    """A road, small sources oftener than their size asks for."""
    kinds: dict[str, list[_Road]] = {}
    for road in roads:
        kinds.setdefault(source_of(road.path.name.removeprefix("mended_")), []).append(road)
    of_kind = list(kinds.values())[int(rng.choice(len(kinds), p=_evened(kinds)))]
    return of_kind[int(rng.integers(len(of_kind)))]


def _evened(kinds: Mapping[str, Sequence[_Road]]) -> list[float]:
    """Chance of every kind, as the square root of its size."""
    roots = [len(kind) ** 0.5 for kind in kinds.values()]
    return [root / sum(roots) for root in roots]


def _cutouts(roads: Sequence[_Road]) -> tuple[Cutout, ...]:
    """Whole motorcycles, and some other vehicles, from all roads alike."""
    found: list[Cutout] = []
    rng = np.random.default_rng(len(roads))
    for index in rng.permutation(len(roads)):
        road = roads[int(index)]
        chosen = [
            one
            for one in road.vehicles
            if _is_whole(one, road.vehicles)
            and (one.class_id == MOTORCYCLE or rng.random() < _OTHER_CUTOUT_SHARE)
        ]
        if chosen:
            image = _read(road.path)
            found.extend(cut_out(image, one) for one in chosen)
        if len(found) >= MAX_CUTOUTS:
            break
    return tuple(found)


def _is_whole(vehicle: RoadVehicle, others: Sequence[RoadVehicle]) -> bool:
    box = vehicle.box_px
    if box.height < MIN_CUT_HEIGHT_PX or box.x_min <= 1 or box.y_min <= 1:
        return False
    return all(one is vehicle or overlap(one.box_px, box) == 0 for one in others)


def _boxes(pool: Path, row: ManifestRow) -> tuple[LabelledBox, ...]:
    path = labels_path(pool, row.file)
    if path is None:
        raise DatasetError(f"{row.file} has no boxes")
    return read_boxes(path)


def _read(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path.name} is no picture")
    return np.asarray(image, dtype=np.uint8)


def _size(path: Path) -> tuple[int, int]:
    height, width = _read(path).shape[:2]
    return width, height


def _frame(path: Path, number: int) -> BgrImage:
    video = cv2.VideoCapture(str(path))
    video.set(cv2.CAP_PROP_POS_FRAMES, number)
    is_read, frame = video.read()
    if not is_read:
        raise DatasetError(f"{path.name} has no frame {number}")
    return np.asarray(frame, dtype=np.uint8)


def _shrunk(image: BgrImage) -> BgrImage:
    ratio = min(1.0, _LONGEST_GROUND_PX / max(image.shape[:2]))
    if ratio == 1.0:
        return image
    small = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _in_pixels(box: LabelledBox, *, width_px: int, height_px: int) -> BoxPx:
    return BoxPx(
        x_min=(box.centre_x - box.width / 2) * width_px,
        y_min=(box.centre_y - box.height / 2) * height_px,
        x_max=(box.centre_x + box.width / 2) * width_px,
        y_max=(box.centre_y + box.height / 2) * height_px,
    )


def _write(path: Path, image: BgrImage, vehicles: Iterable[RoadVehicle]) -> None:
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    height, width = image.shape[:2]
    kept = [
        (one.class_id, one.box_px.x_min, one.box_px.y_min, one.box_px.x_max, one.box_px.y_max)
        for one in vehicles
    ]
    truth = {"width": width, "height": height, "vehicles": kept}
    path.with_suffix(".json").write_text(json.dumps(truth), encoding="utf-8")


def _road(path: Path) -> _Road:
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return _Road(
        path=path,
        vehicles=tuple(
            RoadVehicle(
                class_id=class_id,
                box_px=BoxPx(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max),
            )
            for class_id, x_min, y_min, x_max, y_max in truth["vehicles"]
        ),
    )


def _listed(path: Path) -> ExtraPicture:
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    width, height = truth["width"], truth["height"]
    return ExtraPicture(
        path=path,
        boxes=tuple(
            LabelledBox(
                class_id=one.class_id,
                centre_x=one.box_px.centre[0] / width,
                centre_y=one.box_px.centre[1] / height,
                width=one.box_px.width / width,
                height=one.box_px.height / height,
            )
            for one in _road(path).vehicles
        ),
    )
