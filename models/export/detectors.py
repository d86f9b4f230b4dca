# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releasing a trained detector: export, proof of equal output, entry in the registry."""

from pathlib import Path
from typing import Final

from models.datasets.manifest import read_manifest, rows_of
from models.datasets.splits import Split
from models.errors import ModelMissingError
from models.evaluation.detection import read_picture
from models.export.onnx import compare_detector, export_detector
from models.runtime.images import letterboxed, network_input
from models.runtime.registry import MODELS_FOLDER, WEIGHTS_FOLDER
from models.runtime.values import FloatArray
from models.training.detector import checkpoint_path
from models.training.environment import quieten_library
from models.training.library_fixes import define_torchvision_operators
from models.training.release import enter_release
from models.training.settings import read_detector_training

COMPARED_PICTURES: Final = 8
_INPUT_PX: Final = 640
_STRIDE_PX: Final = 32


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
    candidate = runs / name / f"{name}.onnx"
    export_detector(checkpoint, candidate)
    inputs = _inputs(read_detector_training(name).manifest, pool=pool)
    lines = [
        f"{one.backend}: boxes within {one.box_px:.4f} px, scores within {one.score:.6f} of torch"
        for one in compare_detector(checkpoint, candidate, inputs=inputs)
    ]
    target = MODELS_FOLDER / WEIGHTS_FOLDER / f"{name}.onnx"
    target.write_bytes(candidate.read_bytes())
    return (*lines, f"version {version}, {enter_release(name, version=version)}")


def _inputs(manifest: str, *, pool: Path) -> list[FloatArray]:
    rows = rows_of(read_manifest(manifest), Split.VALIDATION)
    step = max(1, len(rows) // COMPARED_PICTURES)
    pictures = [read_picture(pool / row.file) for row in rows[::step][:COMPARED_PICTURES]]
    return [
        network_input(letterboxed(one, longest_side_px=_INPUT_PX, stride_px=_STRIDE_PX)[0])
        for one in pictures
    ]
