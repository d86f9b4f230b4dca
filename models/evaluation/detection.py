# SPDX-License-Identifier: AGPL-3.0-or-later
"""How well a detector finds things on pictures that it has not learned from.

The released file runs through the production runtime: what is measured is
what a device does, threshold and preprocessing included. Average precision
needs the boxes below that threshold too, so the detector is opened at
``LISTED_FROM`` and recall and precision are taken from the boxes that a
device would report.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.datasets.manifest import ManifestRow, labels_path, verify_pictures
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.riders import with_riders
from models.errors import DatasetError
from models.evaluation.figures.average_precision import (
    PictureMatches,
    match_picture,
    overlaps_of,
    precision_estimates,
)
from models.evaluation.figures.intervals import Estimate, Share
from models.evaluation.picture_qualities import NIGHT_BELOW, mean_luminance
from models.runtime.detector import Detector
from models.runtime.values import BgrImage, BoxPx, Detection, overlap

MIN_OVERLAP: Final = 0.5
ALL_SLICES: Final = "all"
LISTED_FROM: Final = 0.001
"""Confidence from which boxes enter average precision; higher loses the end of the curve."""
SIZE_EDGES_PX2: Final = (32.0**2, 96.0**2)
"""Areas between small, medium and large boxes, as COCO draws them, in pixels of the picture."""
EDGE_PX: Final = 3.0
"""A box nearer to the picture's edge than this touches it."""
SIZE_NAMES: Final = ("small", "medium", "large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One labelled thing of a picture."""

    label: str
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is in one picture, and what the detector lists.

    Attributes:
        file: Path relative to the pool; empty for a frame of a video.
        source: Where the picture comes from.
        is_night: Whether its mean grey lies below ``NIGHT_BELOW``.
        truths: Labelled things.
        detections: Everything from ``LISTED_FROM``, surest first.
        width_px: Width of the picture.
        height_px: Height of the picture.
    """

    file: str
    source: str
    is_night: bool
    truths: tuple[Truth, ...]
    detections: tuple[Detection, ...]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What became of one picture's truths and detections.

    Attributes:
        found_as: For every truth the label of the detection that covers it;
            ``None`` where none does.
        is_right: For every detection whether it covers a truth.
    """

    found_as: tuple[str | None, ...]
    is_right: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionScore:
    """Figures of one slice.

    Attributes:
        slice_name: ``all``, or what the slice has in common.
        pictures: Number of pictures.
        recall: Share of labelled things that were found, whatever their label.
        precision: Share of reported things that are labelled things.
        precision_off_edge: The same without things that touch the picture's
            edge: what is cut there is real more often than it is labelled.
        label_accuracy: Share of found things that bear the right label.
        ap50: Average precision at an overlap of 0.5; of a class's slice for
            boxes of this label, elsewhere whatever the label.
        ap50_95: The same, mean over overlaps of 0.5 to 0.95.
    """

    slice_name: str
    pictures: int
    recall: Share
    precision: Share
    precision_off_edge: Share
    label_accuracy: Share
    ap50: Estimate
    ap50_95: Estimate

    @property
    def shares(self) -> Mapping[str, Share]:
        """The shares by name, in the order of the report."""
        return {
            "recall": self.recall,
            "precision": self.precision,
            "precision_off_edge": self.precision_off_edge,
            "label_accuracy": self.label_accuracy,
        }

    @property
    def estimates(self) -> Mapping[str, Estimate]:
        """The other figures by name, in the order of the report."""
        return {"ap50": self.ap50, "ap50_95": self.ap50_95}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    """Which pictures, truths and detections a score is about."""

    name: str
    outcomes: tuple[Outcome, ...]
    size: str | None = None
    label: str | None = None

    def has_size(self, box_px: BoxPx) -> bool:
        """Whether a box of this size belongs to the slice."""
        return self.size is None or size_of(box_px) == self.size


def evaluate_detector(
    detector: Detector,
    rows: Sequence[ManifestRow],
    *,
    pool: Path,
    labels: Sequence[str],
    class_of: Mapping[int, int],
    min_confidence: float,
) -> tuple[DetectionScore, ...]:
    """Measure a detector on a manifest's pictures.

    Args:
        detector: Detector opened at ``LISTED_FROM``.
        rows: Pictures to measure on; their digests are checked first.
        pool: Folder of real pictures.
        labels: Names of the classes, in order.
        class_of: Pool's class number to the index in ``labels``; boxes of
            other classes are no truths.
        min_confidence: Threshold of recall and precision; the released one is
            what a device has.

    Returns:
        The scores of :func:`detection_scores`.

    Raises:
        DatasetError: A picture is missing, differs or can not be read.
    """
    outcomes = detect_pictures(detector, rows, pool=pool, labels=labels, class_of=class_of)
    return detection_scores(outcomes, labels=labels, min_confidence=min_confidence)


def detect_pictures(
    detector: Detector,
    rows: Sequence[ManifestRow],
    *,
    pool: Path,
    labels: Sequence[str],
    class_of: Mapping[int, int],
) -> tuple[Outcome, ...]:
    """Run a manifest's pictures through a detector; see :func:`evaluate_detector`."""
    verify_pictures(pool, rows)
    return tuple(
        outcome_of(
            detector,
            image,
            file=file,
            source=PurePosixPath(file).stem.split("_")[0],
            truths=picture_truths(boxes, image=image, labels=labels, class_of=class_of),
        )
        for file, image, boxes in _pictures(rows, pool=pool)
    )


def outcome_of(
    detector: Detector,
    image: BgrImage,
    *,
    source: str,
    truths: tuple[Truth, ...],
    file: str = "",
) -> Outcome:
    """Run one picture through a detector."""
    return Outcome(
        file=file,
        source=source,
        is_night=mean_luminance(image) < NIGHT_BELOW,
        truths=truths,
        detections=tuple(detector.detect(image)),
        width_px=image.shape[1],
        height_px=image.shape[0],
    )


def detection_scores(
    outcomes: Sequence[Outcome], *, labels: Sequence[str], min_confidence: float
) -> tuple[DetectionScore, ...]:
    """Scores of all pictures and of every slice that has some.

    Args:
        outcomes: One per picture.
        labels: Names of the classes; of a single one there is no slice.
        min_confidence: Threshold of recall and precision.

    Returns:
        Everything first, then by source, class, box size, and day or night.
    """
    return tuple(
        _score(part, min_confidence=min_confidence)
        for part in _slices(outcomes, labels=labels)
        if part.outcomes
    )


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
    found_as: list[str | None] = [None] * len(truths)
    is_right = [False] * len(detections)
    order = sorted(range(len(detections)), key=lambda index: -detections[index].confidence)
    for index in order:
        free = [number for number, label in enumerate(found_as) if label is None]
        overlaps = [overlap(truths[one].box_px, detections[index].box_px) for one in free]
        if overlaps and max(overlaps) >= MIN_OVERLAP:
            found_as[free[overlaps.index(max(overlaps))]] = detections[index].label
            is_right[index] = True
    return Matches(found_as=tuple(found_as), is_right=tuple(is_right))


def _pictures(
    rows: Sequence[ManifestRow], *, pool: Path
) -> Iterator[tuple[str, BgrImage, tuple[LabelledBox, ...]]]:
    for row in rows:
        boxes = read_boxes(labels_path(pool, row.file) or pool / row.file)
        yield row.file, read_picture(pool / row.file), with_riders(boxes)


def _slices(outcomes: Sequence[Outcome], *, labels: Sequence[str]) -> Iterator[_Slice]:
    every = tuple(outcomes)
    yield _Slice(name=ALL_SLICES, outcomes=every)
    for source in sorted({one.source for one in every}):
        chosen = tuple(one for one in every if one.source == source)
        yield _Slice(name=f"source {source}", outcomes=chosen)
    for label in labels if len(labels) > 1 else ():
        yield _Slice(name=f"class {label}", outcomes=every, label=label)
    for size in SIZE_NAMES:
        yield _Slice(name=f"size {size}", outcomes=every, size=size)
    for name, is_night in (("day", False), ("night", True)):
        chosen = tuple(one for one in every if one.is_night is is_night)
        yield _Slice(name=f"light {name}", outcomes=chosen)


def size_of(box_px: BoxPx) -> str:
    """One of ``SIZE_NAMES`` by the box's area in the picture."""
    area = box_px.width * box_px.height
    return SIZE_NAMES[sum(area >= edge for edge in SIZE_EDGES_PX2)]


def _score(part: _Slice, *, min_confidence: float) -> DetectionScore:
    found_as: list[tuple[str, str | None]] = []
    is_right: list[bool] = []
    is_right_off_edge: list[bool] = []
    for outcome in part.outcomes:
        reported = [one for one in outcome.detections if one.confidence >= min_confidence]
        matches = match(outcome.truths, reported)
        for truth, label in zip(outcome.truths, matches.found_as, strict=True):
            if _belongs(part, truth.label, truth.box_px):
                found_as.append((truth.label, label))
        for one, right in zip(reported, matches.is_right, strict=True):
            if _belongs(part, one.label, one.box_px):
                is_right.append(right)
                if not _touches_edge(one.box_px, outcome):
                    is_right_off_edge.append(right)
    found = [pair for pair in found_as if pair[1] is not None]
    ap50, ap50_95 = precision_estimates([_matches(part, one) for one in part.outcomes])
    return DetectionScore(
        slice_name=part.name,
        pictures=len(part.outcomes),
        recall=Share(successes=len(found), trials=len(found_as)),
        precision=Share(successes=sum(is_right), trials=len(is_right)),
        precision_off_edge=Share(successes=sum(is_right_off_edge), trials=len(is_right_off_edge)),
        label_accuracy=Share(
            successes=sum(label == name for name, label in found), trials=len(found)
        ),
        ap50=ap50,
        ap50_95=ap50_95,
    )


def _touches_edge(box_px: BoxPx, outcome: Outcome) -> bool:
    return (
        min(box_px.x_min, box_px.y_min) < EDGE_PX
        or box_px.x_max > outcome.width_px - EDGE_PX
        or box_px.y_max > outcome.height_px - EDGE_PX
    )


def _belongs(part: _Slice, label: str, box_px: BoxPx) -> bool:
    return part.label in {None, label} and part.has_size(box_px)


def _matches(part: _Slice, outcome: Outcome) -> PictureMatches:
    truths = [one for one in outcome.truths if part.label in {None, one.label}]
    detections = [one for one in outcome.detections if part.label in {None, one.label}]
    return match_picture(
        confidences=np.array([one.confidence for one in detections], dtype=np.float64),
        overlaps=overlaps_of(
            _corners([one.box_px for one in detections]), _corners([one.box_px for one in truths])
        ),
        is_truth_counted=np.array([part.has_size(one.box_px) for one in truths], dtype=np.bool_),
        is_detection_counted=np.array(
            [part.has_size(one.box_px) for one in detections], dtype=np.bool_
        ),
    )


def _corners(boxes: Sequence[BoxPx]) -> NDArray[np.float64]:
    corners = [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes]
    return np.array(corners, dtype=np.float64).reshape(-1, 4)
