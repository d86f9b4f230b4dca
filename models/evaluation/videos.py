# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pool's videos with some truth: one plate in many frames, and vehicles on a road at night."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from models.errors import DatasetError
from models.evaluation.detection import Outcome, Truth, outcome_of
from models.evaluation.figures.intervals import Share
from models.runtime.detector import Detector
from models.runtime.fusion import fuse_readings
from models.runtime.images import cropped
from models.runtime.reader import PlateReader
from models.runtime.values import BgrImage, BoxPx

MAX_FRAMES: Final = 900
MOTORBIKE_VIDEO: Final = "moto_single_static.mp4"
NIGHT_VIDEO: Final = "idtoll_km39_night_5fps.mp4"
NIGHT_SOURCE: Final = "toll road by night, unchecked boxes"
_MOTORBIKE_TEXT_SHA256: Final = "5be844a68c05e437c6accefd976f3657d66e0e05418c5a3b2b103573bc0fd333"
"""Of the one plate that the video shows; its text stands beside the pool only."""
_NIGHT_BOXES: Final = "idtoll_km39_night_5fps_boxes.csv"
_MAX_BOXES: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoScore:
    """One plate in the frames of a video.

    Attributes:
        found: Frames in which a plate is found.
        right: Of these, the frames whose surest plate is read exactly.
        is_fused_right: Whether all frames together give the plate.
        fused_confidence: What fusion states.
    """

    found: Share
    right: Share
    is_fused_right: bool
    fused_confidence: float


def read_motorbike_video(detector: Detector, reader: PlateReader, *, pool: Path) -> VideoScore:
    """Read the one plate of a video in every frame, and fuse them.

    Args:
        detector: Plate detector at its released threshold.
        reader: The reader.
        pool: Folder of real pictures.

    Raises:
        DatasetError: The video is missing, or no frame shows a plate.
    """
    crops, frames = [], 0
    for frame in video_frames(pool / "videos" / MOTORBIKE_VIDEO):
        frames += 1
        found = detector.detect(frame)
        if found:
            crops.append(cropped(frame, found[0].box_px))
    if not crops:
        raise DatasetError(f"no plate was found in {MOTORBIKE_VIDEO}")
    readings = reader.read(crops)
    fused = fuse_readings(readings)
    return VideoScore(
        found=Share(successes=len(crops), trials=frames),
        right=Share(successes=sum(_is_truth(one.text) for one in readings), trials=len(crops)),
        is_fused_right=_is_truth(fused.text),
        fused_confidence=fused.confidence,
    )


def night_outcomes(detector: Detector, *, pool: Path, labels: Sequence[str]) -> tuple[Outcome, ...]:
    """Vehicles of the toll road by night: boxes and detections of every frame.

    The boxes come with the video and nobody checked them; its camera stands
    where some pictures of training were taken, on other days.

    Args:
        detector: Vehicle detector opened for average precision.
        pool: Folder of real pictures.
        labels: Names of the pool's classes, in order.

    Raises:
        DatasetError: Video or boxes are missing or malformed.
    """
    truths = _night_truths(pool / "videos" / _NIGHT_BOXES, labels=labels)
    return tuple(
        outcome_of(detector, frame, source=NIGHT_SOURCE, truths=tuple(truths.get(number, ())))
        for number, frame in enumerate(video_frames(pool / "videos" / NIGHT_VIDEO))
    )


def video_frames(path: Path) -> Iterator[BgrImage]:
    """Frames of a video file, at most ``MAX_FRAMES``.

    Raises:
        DatasetError: There is no video, or it has no frame.
    """
    capture = cv2.VideoCapture(str(path))
    try:
        number = 0
        while number < MAX_FRAMES:
            is_read, frame = capture.read()
            if not is_read:
                break
            number += 1
            yield np.asarray(frame, dtype=np.uint8)
        if not number:
            raise DatasetError(f"{path.name} is missing or no video")
    finally:
        capture.release()


def _night_truths(path: Path, *, labels: Sequence[str]) -> dict[int, list[Truth]]:
    truths: dict[int, list[Truth]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in islice(csv.DictReader(file), _MAX_BOXES):
                left, top, width, height = (float(row[key]) for key in ("x", "y", "w", "h"))
                box = BoxPx(x_min=left, y_min=top, x_max=left + width, y_max=top + height)
                truth = Truth(label=labels[int(row["class"])], box_px=box)
                truths.setdefault(int(row["frame"]), []).append(truth)
    except OSError as error:
        raise DatasetError(f"{path.name} is missing") from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError(f"{path.name} is malformed") from error
    return truths


def _is_truth(text: str) -> bool:
    return hashlib.sha256(text.encode()).hexdigest() == _MOTORBIKE_TEXT_SHA256
