# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a detector's recipe does on a source that it has never seen.

A validation split tells how a detector does on other pictures of the cameras it knows. A
department's cameras are other ones: so the recipe is trained again without one source, and
measured on all pictures of that source. Such a network is never released.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from models.datasets.manifest import read_manifest, source_of
from models.errors import ModelMissingError
from models.evaluation.detection import LISTED_FROM, DetectionScore, evaluate_detector
from models.export.onnx import export_detector
from models.runtime.detector import Detector, DetectorConfig
from models.runtime.registry import file_sha256, load_model
from models.runtime.sessions import open_session
from models.runtime.values import Backend
from models.training.detectors.detector import checkpoint_path, run_folder
from models.training.detectors.library_fixes import define_torchvision_operators
from models.training.detectors.settings import read_detector_training
from models.training.environment import quieten_library


def measure_unseen(
    name: str, *, source: str, pool: Path, runs: Path, backend: Backend = Backend.AUTO
) -> tuple[DetectionScore, ...]:
    """Measure the run that left a source out, on every picture of that source.

    Args:
        name: ``plate-detector`` or ``vehicle-detector``.
        source: What the run left out, as ``idhw``.
        pool: Folder of real pictures.
        runs: Work folder of training runs.
        backend: Inference library.

    Returns:
        Scores by slice at the released detector's threshold.

    Raises:
        ModelMissingError: There was no such run.
        DatasetError: A picture is missing or differs.
    """
    quieten_library(runs / "library")
    define_torchvision_operators()
    checkpoint = checkpoint_path(name, runs=runs, without=source)
    if not checkpoint.is_file():
        raise ModelMissingError(name=name, path=checkpoint)
    exported = run_folder(name, runs=runs, without=source) / f"{name}.onnx"
    export_detector(checkpoint, exported)
    released = DetectorConfig.from_registry(load_model(name).config)
    detector = Detector(
        open_session(exported, backend=backend),
        config=replace(released, min_confidence=LISTED_FROM),
        digest=file_sha256(exported),
    )
    training = read_detector_training(name)
    rows = [row for row in read_manifest(training.manifest) if source_of(row.file) == source]
    return evaluate_detector(
        detector,
        rows,
        pool=pool,
        labels=training.labels,
        class_of=training.class_of,
        min_confidence=released.min_confidence,
    )


def unseen_lines(scores: Sequence[DetectionScore]) -> tuple[str, ...]:
    """The scores as lines for people, each with its 95 % interval."""
    return tuple(
        f"{score.slice_name} ({score.pictures} pictures): AP50 {score.ap50},"
        f" AP50-95 {score.ap50_95}, recall {score.recall}, precision {score.precision}"
        for score in scores
    )
