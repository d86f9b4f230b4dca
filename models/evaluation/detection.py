# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recall and precision of a detector on pictures that it has not learned from.

The released file runs through the production runtime: what is measured is
what a device does, threshold and preprocessing included.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np

from models.datasets.manifest import ManifestRow, labels_path, verify_pictures
from models.datasets.pool import LabelledBox, read_boxes
from models.errors import DatasetError
from models.evaluation.intervals import Share
from models.runtime.detector import Detector
from models.runtime.values import BgrImage, BoxPx, Detection

MIN_OVERLAP: Final = 0.5
ALL_SLICES: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One labelled thing of a picture."""

    label: str
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What became of one picture's truths and detections.

    Attributes:
        truths: Labelled things.
        found: Truths that some detection covers.
        found_with_label: Truths covered by a detection of their own label.
        detections: Things the detector reported.
    """

    truths: int
    found: int
    found_with_label: int
    detections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScore:
    """Figures of one slice.

    Attributes:
        slice_name: Source of the pictures, or ``all``.
        pictures: Number of pictures.
        recall: Share of labelled things that were found, whatever their label.
        precision: Share of reported things that are labelled things.
        label_accuracy: Share of found things that bear the right label.
    """

    slice_name: str
    pictures: int
    recall: Share
    precision: Share
    label_accuracy: Share


def evaluate_detector(
    detector: Detector,
    rows: Sequence[ManifestRow],
    *,
    pool: Path,
    labels: Sequence[str],
    class_of: Mapping[int, int],
) -> tuple[DetectionScore, ...]:
    """Measure a detector on a manifest's pictures.

    Args:
        detector: Loaded detector.
        rows: Pictures to measure on; their digests are checked first.
        pool: Folder of real pictures.
        labels: Names of the classes, in order.
        class_of: Pool's class number to the index in ``labels``; boxes of
            other classes are no truths.

    Returns:
        One score over everything, then one per source, by name.

    Raises:
        DatasetError: A picture is missing, differs or can not be read.
    """
    verify_pictures(pool, rows)
    matches_of: dict[str, list[Matches]] = {}
    for row in rows:
        image = read_picture(pool / row.file)
        boxes = read_boxes(labels_path(pool, row.file) or pool / row.file)
        truths = picture_truths(boxes, image=image, labels=labels, class_of=class_of)
        matches = match(truths, detector.detect(image))
        source = PurePosixPath(row.file).stem.split("_")[0]
        for name in (ALL_SLICES, source):
            matches_of.setdefault(name, []).append(matches)
    first_all = sorted(matches_of, key=lambda name: (name != ALL_SLICES, name))
    return tuple(_score(name, matches_of[name]) for name in first_all)


def read_picture(path: Path) -> BgrImage:
    """A picture file as pixels.

    Raises:
        DatasetError: The file is no picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(f"{path.name} is no picture")
    return np.asarray(image, dtype=np.uint8)


def picture_truths(
    boxes: Iterable[LabelledBox],
    *,
    image: BgrImage,
    labels: Sequence[str],
    class_of: Mapping[int, int],
) -> tuple[Truth, ...]:
    """Labelled boxes in pixels, those of unused classes left out."""
    height, width = image.shape[:2]
    return tuple(
        Truth(
            label=labels[class_of[box.class_id]],
            box_px=BoxPx(
                x_min=(box.centre_x - box.width / 2) * width,
                y_min=(box.centre_y - box.height / 2) * height,
                x_max=(box.centre_x + box.width / 2) * width,
                y_max=(box.centre_y + box.height / 2) * height,
            ),
        )
        for box in boxes
        if box.class_id in class_of
    )


def match(truths: Sequence[Truth], detections: Sequence[Detection]) -> Matches:
    """Give every detection, surest first, the truth that it covers best.

    A truth is given away once; a detection that covers no free truth by at
    least ``MIN_OVERLAP`` is wrong.
    """
    free = list(truths)
    found_with_label = 0
    for detection in sorted(detections, key=lambda one: -one.confidence):
        overlaps = [overlap(truth.box_px, detection.box_px) for truth in free]
        if not overlaps or max(overlaps) < MIN_OVERLAP:
            continue
        truth = free.pop(overlaps.index(max(overlaps)))
        found_with_label += truth.label == detection.label
    return Matches(
        truths=len(truths),
        found=len(truths) - len(free),
        found_with_label=found_with_label,
        detections=len(detections),
    )


def overlap(first: BoxPx, second: BoxPx) -> float:
    """Intersection over union of two boxes, 0 to 1; 0 when both are empty."""
    width = min(first.x_max, second.x_max) - max(first.x_min, second.x_min)
    height = min(first.y_max, second.y_max) - max(first.y_min, second.y_min)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (first.width * first.height + second.width * second.height - common)


def _score(name: str, matches: Sequence[Matches]) -> DetectionScore:
    found = sum(one.found for one in matches)
    return DetectionScore(
        slice_name=name,
        pictures=len(matches),
        recall=Share(successes=found, trials=sum(one.truths for one in matches)),
        precision=Share(successes=found, trials=sum(one.detections for one in matches)),
        label_accuracy=Share(successes=sum(one.found_with_label for one in matches), trials=found),
    )
