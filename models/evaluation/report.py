# SPDX-License-Identifier: AGPL-3.0-or-later
"""The figures of all models in one document, for people and for machines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypedDict

from models.datasets.manifest import read_manifest, rows_of
from models.datasets.splits import Split
from models.errors import DatasetError
from models.evaluation.detection import (
    LISTED_FROM,
    MIN_OVERLAP,
    DetectionScore,
    evaluate_detector,
)
from models.evaluation.intervals import Estimate, Share
from models.evaluation.reading import evaluate_reader
from models.runtime.detector import Detector
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR, load_model
from models.runtime.values import Backend
from models.training.settings import read_detector_training

DETECTORS: Final = (PLATE_DETECTOR, VEHICLE_DETECTOR)


class ShareDocument(TypedDict):
    """A share with its 95 % interval; ``value`` is null without trials."""

    value: float | None
    low_95: float
    high_95: float
    trials: int


class EstimateDocument(TypedDict):
    """Another figure with its 95 % interval; null where nothing is known."""

    value: float | None
    low_95: float | None
    high_95: float | None
    trials: int


class SliceDocument(TypedDict):
    """Figures of one slice of the pictures."""

    slice: str
    pictures: int
    shares: dict[str, ShareDocument]
    estimates: dict[str, EstimateDocument]


class ModelDocument(TypedDict):
    """Figures of one model."""

    model: str
    version: str
    sha256: str
    slices: list[SliceDocument]


class EvaluationDocument(TypedDict):
    """Figures of several models on one split."""

    split: str
    backend: str
    min_overlap: float
    models: list[ModelDocument]


def evaluation_document(
    names: Sequence[str], *, pool: Path, split: str, backend: Backend
) -> EvaluationDocument:
    """Measure models and put the figures together.

    Args:
        names: Registry names.
        pool: Folder of real pictures.
        split: ``validation`` or ``hold_out``; a model without pictures of
            that split is left out.
        backend: Inference library.

    Raises:
        ModelsError: A model or a picture is missing or wrong.
    """
    wanted = Split(split)
    documents = [
        measured
        for name in names
        if (measured := _measure(name, pool=pool, split=wanted, backend=backend)) is not None
    ]
    if not documents:
        raise DatasetError(f"none of these models has pictures in the split {split}")
    return EvaluationDocument(
        split=split, backend=backend.value, min_overlap=MIN_OVERLAP, models=documents
    )


def evaluation_text(document: EvaluationDocument) -> str:
    """The figures as a table for people; shares with 95 % intervals after Wilson."""
    lines = [f"split {document['split']}, boxes right from IoU {document['min_overlap']}"]
    for model in document["models"]:
        lines.append(f"\n{model['model']} {model['version']}")
        for part in model["slices"]:
            lines.append(f"  {part['slice']} ({part['pictures']} pictures)")
            lines.extend(
                f"    {name:<18} {_share_text(share)}" for name, share in part["shares"].items()
            )
            lines.extend(
                f"    {name:<18} {_estimate_text(one)}" for name, one in part["estimates"].items()
            )
    return "\n".join(lines)


def share_document(share: Share) -> ShareDocument:
    """A share for machines."""
    low, high = share.interval_95
    return ShareDocument(value=share.value, low_95=low, high_95=high, trials=share.trials)


def estimate_document(estimate: Estimate) -> EstimateDocument:
    """A figure that is no share, for machines."""
    return EstimateDocument(
        value=estimate.value,
        low_95=estimate.low_95,
        high_95=estimate.high_95,
        trials=estimate.trials,
    )


def slice_document(
    name: str,
    *,
    pictures: int,
    shares: Mapping[str, Share],
    estimates: Mapping[str, Estimate] = MappingProxyType({}),
) -> SliceDocument:
    """One slice for machines."""
    return SliceDocument(
        slice=name,
        pictures=pictures,
        shares={key: share_document(share) for key, share in shares.items()},
        estimates={key: estimate_document(one) for key, one in estimates.items()},
    )


def _measure(name: str, *, pool: Path, split: Split, backend: Backend) -> ModelDocument | None:
    if name in DETECTORS:
        slices = _measure_detector(name, pool=pool, split=split, backend=backend)
    else:
        scores = evaluate_reader(PlateReader.open(backend=backend), pool=pool, split=split)
        slices = [
            slice_document(one.slice_name, pictures=one.pictures, shares=one.shares)
            for one in scores
        ]
    if not slices:
        return None
    model = load_model(name)
    return ModelDocument(model=name, version=model.version, sha256=model.sha256, slices=slices)


def _measure_detector(
    name: str, *, pool: Path, split: Split, backend: Backend
) -> list[SliceDocument]:
    training = read_detector_training(name)
    rows = rows_of(read_manifest(training.manifest), split)
    if not rows:
        return []
    detector = Detector.open(name, backend=backend, min_confidence=LISTED_FROM)
    scores = evaluate_detector(
        detector,
        rows,
        pool=pool,
        labels=training.labels,
        class_of=training.class_of,
        min_confidence=load_model(name).config.number("min_confidence"),
    )
    return [_detection_slice(score, labels=len(training.labels)) for score in scores]


def _detection_slice(score: DetectionScore, *, labels: int) -> SliceDocument:
    shares = dict(score.shares)
    if labels == 1:
        del shares["label_accuracy"]
    return slice_document(
        score.slice_name, pictures=score.pictures, shares=shares, estimates=score.estimates
    )


def _share_text(share: ShareDocument) -> str:
    if share["value"] is None:
        return "no data"
    low, high = share["low_95"], share["high_95"]
    return f"{share['value']:.1%} [{low:.1%}, {high:.1%}] of {share['trials']}"


def _estimate_text(one: EstimateDocument) -> str:
    if one["value"] is None:
        return "no data"
    return f"{one['value']:.4f} [{one['low_95']:.4f}, {one['high_95']:.4f}] of {one['trials']}"
