# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releasing a trained detector: export, proof of equal output, entry in the registry.

Where the training file asks for it, an 8-bit copy is made and measured beside the
original; it is released only if it loses next to nothing. Measured are the validation
pictures and those that the training made: on the easy pictures of the gates a copy
that sees plates everywhere in the dark was as good as the original.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.datasets.manifest import ManifestRow, labels_path, read_manifest, rows_of
from models.datasets.pool import LabelledBox, read_boxes
from models.datasets.riders import with_riders
from models.datasets.splits import Split
from models.errors import ModelMissingError
from models.evaluation.detection import (
    LISTED_FROM,
    detection_scores,
    outcome_of,
    picture_truths,
    read_picture,
)
from models.export.onnx import compare_detector, export_detector
from models.export.quantised import quantise
from models.runtime.detector import Detector, DetectorConfig
from models.runtime.images import letterboxed, network_input
from models.runtime.registry import MODELS_FOLDER, WEIGHTS_FOLDER, file_sha256
from models.runtime.sessions import open_session
from models.runtime.values import Backend, FloatArray
from models.training.detectors.detector import checkpoint_path
from models.training.detectors.library_fixes import define_torchvision_operators
from models.training.detectors.settings import DetectorTraining, read_detector_training
from models.training.environment import quieten_library
from models.training.release import enter_config, enter_release

COMPARED_PICTURES: Final = 8
CALIBRATION_PICTURES: Final = 96
MADE_PICTURES: Final = ("street_", "traffic_")
MADE_COUNT: Final = 120
MAX_QUANTISED_LOSS: Final = 0.003
"""What an 8-bit copy may lose of AP50 or F1; above it the floats are released."""
_INPUT_PX: Final = 640
_STRIDE_PX: Final = 32
_MAX_OVERLAP: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """What a file is worth, each in [0, 1]."""

    average_precision: float
    recall: float
    precision: float

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision: a hair's shift of the threshold trades them."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0

    def lost_by(self, other: "_Worth") -> float:
        """The most that another file loses of any figure."""
        return max(self.average_precision - other.average_precision, self.f1 - other.f1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A picture that copies are measured on."""

    path: Path
    boxes: tuple[LabelledBox, ...]
    class_of: Mapping[int, int]


def release_detector(name: str, *, version: str, pool: Path, runs: Path) -> tuple[str, ...]:
    """Export a detector's last checkpoint and enter it in the registry.

    Args:
        name: ``plate-detector`` or ``vehicle-detector``.
        version: Version of the weights, as ``1.2.3``.
        pool: Folder of real pictures, on which the outputs are compared.
        runs: Work folder of training runs.

    Returns:
        Lines that say what was done.

    Raises:
        ModelMissingError: Nothing was trained yet.
        ModelFormatError: The exported file gives other results, or is too large.
    """
    quieten_library(runs / "library")
    define_torchvision_operators()
    checkpoint = checkpoint_path(name, runs=runs)
    if not checkpoint.is_file():
        raise ModelMissingError(name=name, path=checkpoint)
    training = read_detector_training(name)
    candidate = runs / name / f"{name}.onnx"
    export_detector(checkpoint, candidate)
    rows = read_manifest(training.manifest)
    validation = [pool / row.file for row in rows_of(rows, Split.VALIDATION)]
    compared = [_network_input(path) for path in _spread(validation, COMPARED_PICTURES)]
    lines = [
        f"{one.backend}: boxes within {one.box_px:.4f} px, scores within {one.score:.6f} of torch"
        for one in compare_detector(checkpoint, candidate, inputs=compared)
    ]
    precision = "f32"
    if training.quantised:
        small = candidate.with_suffix(".int8.onnx")
        made = _made_pictures(runs / name / "data")
        learned = [pool / row.file for row in rows_of(rows, Split.TRAIN)]
        lines.append(_quantised(training, candidate, small, learned=learned, made=made))
        pictures = _judged(training, rows=rows, pool=pool, made=made)
        is_enough, compared_lines = _compared(training, candidate, small, pictures=pictures)
        lines += compared_lines
        if is_enough:
            candidate, precision = small, "int8"
    target = MODELS_FOLDER / WEIGHTS_FOLDER / f"{name}.onnx"
    target.write_bytes(candidate.read_bytes())
    enter_config(name, {"precision": f'"{precision}"'})
    return (*lines, f"version {version}, {precision}, {enter_release(name, version=version)}")


def _made_pictures(data: Path) -> list[Path]:
    """Pictures that the training made of the pool's, in a fixed order."""
    pictures = (data / "images" / "train").glob("*.jpg")
    return sorted(path for path in pictures if path.name.startswith(MADE_PICTURES))


def _quantised(
    training: DetectorTraining,
    candidate: Path,
    small: Path,
    *,
    learned: Sequence[Path],
    made: Sequence[Path],
) -> str:
    """Write the 8-bit copy; half of the pictures that set its ranges are made ones."""
    pictures = (*_spread(learned, CALIBRATION_PICTURES), *_spread(made[1:], CALIBRATION_PICTURES))
    quantise(candidate, small, inputs=[_network_input(path) for path in pictures])
    size = small.stat().st_size / candidate.stat().st_size
    return f"{training.name}: 8-bit copy of {size:.0%} of the size"


def _judged(
    training: DetectorTraining, *, rows: Sequence[ManifestRow], pool: Path, made: Sequence[Path]
) -> tuple[_Judged, ...]:
    """Pictures that both copies are measured on, with their truths."""
    real = [
        (pool / row.file, read_boxes(labels_path(pool, row.file) or pool / row.file))
        for row in rows_of(rows, Split.VALIDATION)
    ]
    judged = [
        _Judged(path=path, boxes=with_riders(boxes), class_of=training.class_of)
        for path, boxes in real
    ]
    identity = {index: index for index in range(len(training.labels))}
    for path in _spread(made, MADE_COUNT):
        boxes = read_boxes(path.parents[2] / "labels" / "train" / f"{path.stem}.txt")
        judged.append(_Judged(path=path, boxes=boxes, class_of=identity))
    return tuple(judged)


def _compared(
    training: DetectorTraining, candidate: Path, small: Path, *, pictures: Sequence[_Judged]
) -> tuple[bool, list[str]]:
    """Whether an 8-bit copy loses next to nothing in either library, and the figures."""
    floats = _worth(training, candidate, Backend.OPENVINO, pictures=pictures)
    lines, is_enough = [], True
    for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME):
        whole = _worth(training, small, backend, pictures=pictures)
        lines.append(
            f"8 bits in {backend}: AP50 {floats.average_precision:.4f} to"
            f" {whole.average_precision:.4f}, recall {floats.recall:.4f} to {whole.recall:.4f},"
            f" precision {floats.precision:.4f} to {whole.precision:.4f}"
        )
        is_enough = is_enough and floats.lost_by(whole) <= MAX_QUANTISED_LOSS
    return is_enough, lines


def _worth(
    training: DetectorTraining, path: Path, backend: Backend, *, pictures: Sequence[_Judged]
) -> _Worth:
    config = DetectorConfig(
        labels=training.labels,
        input_px=_INPUT_PX,
        stride_px=_STRIDE_PX,
        min_confidence=LISTED_FROM,
        max_overlap=_MAX_OVERLAP,
    )
    session = open_session(path, backend=backend)
    detector = Detector(session, config=config, digest=file_sha256(path))
    outcomes = []
    for picture in pictures:
        image = read_picture(picture.path)
        truths = picture_truths(
            picture.boxes, image=image, labels=training.labels, class_of=picture.class_of
        )
        outcomes.append(outcome_of(detector, image, source="judged", truths=truths))
    score = detection_scores(
        outcomes, labels=training.labels, min_confidence=training.min_confidence
    )[0]
    return _Worth(
        average_precision=score.ap50.value or 0.0,
        recall=score.recall.value or 0.0,
        precision=score.precision.value or 0.0,
    )


def _spread(pictures: Sequence[Path], count: int) -> Sequence[Path]:
    """At most so many pictures, evenly through them."""
    return pictures[:: max(1, len(pictures) // count)][:count]


def _network_input(path: Path) -> FloatArray:
    image = read_picture(path)
    return network_input(letterboxed(image, longest_side_px=_INPUT_PX, stride_px=_STRIDE_PX)[0])
