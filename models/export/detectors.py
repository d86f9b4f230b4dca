# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releasing a trained detector: export, proof of equal output, entry in the registry.

Where the training file asks for it, an 8-bit copy is made and measured on the
validation split beside the original; it is released only if it loses next to nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.datasets.manifest import ManifestRow, read_manifest, rows_of
from models.datasets.splits import Split
from models.errors import ModelMissingError
from models.evaluation.detection import LISTED_FROM, evaluate_detector, read_picture
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
MAX_QUANTISED_LOSS: Final = 0.003
"""Average precision and recall that an 8-bit copy may lose; above it the floats are released."""
_INPUT_PX: Final = 640
_STRIDE_PX: Final = 32
_MAX_OVERLAP: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """What a file is worth on the validation split, each in [0, 1]."""

    average_precision: float
    recall: float


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
    compared = _inputs(rows_of(rows, Split.VALIDATION), pool=pool, count=COMPARED_PICTURES)
    lines = [
        f"{one.backend}: boxes within {one.box_px:.4f} px, scores within {one.score:.6f} of torch"
        for one in compare_detector(checkpoint, candidate, inputs=compared)
    ]
    precision = "f32"
    if training.quantised:
        small = candidate.with_suffix(".int8.onnx")
        lines += _quantised(training, candidate, small, rows=rows, pool=pool)
        if _is_worth_as_much(training, candidate, small, rows=rows, pool=pool, lines=lines):
            candidate, precision = small, "int8"
    target = MODELS_FOLDER / WEIGHTS_FOLDER / f"{name}.onnx"
    target.write_bytes(candidate.read_bytes())
    enter_config(name, {"precision": f'"{precision}"'})
    return (*lines, f"version {version}, {precision}, {enter_release(name, version=version)}")


def _quantised(
    training: DetectorTraining,
    candidate: Path,
    small: Path,
    *,
    rows: Sequence[ManifestRow],
    pool: Path,
) -> list[str]:
    learned = rows_of(rows, Split.TRAIN)
    quantise(candidate, small, inputs=_inputs(learned, pool=pool, count=CALIBRATION_PICTURES))
    size = small.stat().st_size / candidate.stat().st_size
    return [f"{training.name}: 8-bit copy of {size:.0%} of the size"]


def _is_worth_as_much(
    training: DetectorTraining,
    candidate: Path,
    small: Path,
    *,
    rows: Sequence[ManifestRow],
    pool: Path,
    lines: list[str],
) -> bool:
    """Whether an 8-bit copy loses next to nothing in either library; the figures are listed."""
    floats = _worth(training, candidate, Backend.OPENVINO, rows=rows, pool=pool)
    is_enough = True
    for backend in (Backend.OPENVINO, Backend.ONNXRUNTIME):
        whole = _worth(training, small, backend, rows=rows, pool=pool)
        lines.append(
            f"8 bits in {backend}: AP50 {floats.average_precision:.4f} to"
            f" {whole.average_precision:.4f}, recall {floats.recall:.4f} to {whole.recall:.4f}"
        )
        lost = max(floats.average_precision - whole.average_precision, floats.recall - whole.recall)
        is_enough = is_enough and lost <= MAX_QUANTISED_LOSS
    return is_enough


def _worth(
    training: DetectorTraining,
    path: Path,
    backend: Backend,
    *,
    rows: Sequence[ManifestRow],
    pool: Path,
) -> _Worth:
    config = DetectorConfig(
        labels=training.labels,
        input_px=_INPUT_PX,
        stride_px=_STRIDE_PX,
        min_confidence=LISTED_FROM,
        max_overlap=_MAX_OVERLAP,
    )
    session = open_session(path, backend=backend)
    score = evaluate_detector(
        Detector(session, config=config, digest=file_sha256(path)),
        rows_of(rows, Split.VALIDATION),
        pool=pool,
        labels=training.labels,
        class_of=training.class_of,
        min_confidence=training.min_confidence,
    )[0]
    return _Worth(average_precision=score.ap50.value or 0.0, recall=score.recall.value or 0.0)


def _inputs(rows: Sequence[ManifestRow], *, pool: Path, count: int) -> list[FloatArray]:
    step = max(1, len(rows) // count)
    pictures = [read_picture(pool / row.file) for row in rows[::step][:count]]
    return [
        network_input(letterboxed(one, longest_side_px=_INPUT_PX, stride_px=_STRIDE_PX)[0])
        for one in pictures
    ]
