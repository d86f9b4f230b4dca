# SPDX-License-Identifier: AGPL-3.0-or-later
"""The figures as one document for machines; the page and the table are made from it.

``SCHEMA`` grows when a key changes its meaning or goes; new keys may come at any time.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NotRequired, TypedDict

from models.evaluation.detection import DetectionScore
from models.evaluation.figures.calibration import (
    CalibrationBin,
    Judged,
    RiskPoint,
    adaptive_edges,
    calibration_bins,
    even_edges,
    risk_coverage,
)
from models.evaluation.figures.comparison import Paired
from models.evaluation.figures.intervals import Estimate, Share
from models.evaluation.latency import Latency, Machine
from models.evaluation.reading import ReadingScore
from models.evaluation.sequences import SequenceScore
from models.evaluation.videos import VideoScore

SCHEMA: Final = "luuthong-evaluation/2"
_CURVE_POINTS: Final = 200
"""A curve of thousands of readings is drawn by so many of its points."""


class ShareDocument(TypedDict):
    """A share with Wilson's 95 % interval; ``value`` is null without trials."""

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


class PairedDocument(TypedDict):
    """Two ways on the same cases; the test is McNemar's."""

    difference: EstimateDocument
    only_first: int
    only_second: int
    p_value: float


class SliceDocument(TypedDict):
    """Figures of one slice."""

    slice: str
    pictures: int
    shares: dict[str, ShareDocument]
    estimates: dict[str, EstimateDocument]
    paired: NotRequired[dict[str, PairedDocument]]


class MeasurementDocument(TypedDict):
    """Figures of one model on one set of pictures."""

    subject: str
    data: str
    note: str
    slices: list[SliceDocument]
    curves: dict[str, list[dict[str, float]]]


class LatencyDocument(TypedDict):
    """How long one step takes on the document's machine, one thread."""

    step: str
    backend: str
    repeats: int
    median_ms: EstimateDocument
    p90_ms: float


class MachineDocument(TypedDict):
    """Where figures were measured."""

    processor: str
    cores: int
    memory_gib: float
    load: float
    system: str
    python: str
    libraries: list[str]


class ModelDocument(TypedDict):
    """A measured model."""

    model: str
    version: str
    sha256: str


class EvaluationDocument(TypedDict):
    """Everything that one run measured."""

    schema: str
    made_at: str
    split: str
    backend: str
    machine: MachineDocument
    models: list[ModelDocument]
    manifests: dict[str, str]
    rules: list[str]
    min_overlap: float
    answer_from: float
    measurements: list[MeasurementDocument]
    latency: list[LatencyDocument]


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


def detection_slices(scores: Sequence[DetectionScore], *, labels: int) -> list[SliceDocument]:
    """Scores of a detector; of a single class there is nothing to confuse."""
    result = []
    for score in scores:
        shares = {k: v for k, v in score.shares.items() if labels > 1 or k != "label_accuracy"}
        result.append(
            slice_document(
                score.slice_name, pictures=score.pictures, shares=shares, estimates=score.estimates
            )
        )
    return result


def reading_slices(scores: Sequence[ReadingScore]) -> list[SliceDocument]:
    """Scores of the reader."""
    return [
        slice_document(
            one.slice_name, pictures=one.pictures, shares=one.shares, estimates=one.estimates
        )
        for one in scores
    ]


def sequence_slices(scores: Sequence[SequenceScore]) -> list[SliceDocument]:
    """Scores of fusion, with its comparisons on the same tracks."""
    result = []
    for one in scores:
        part = slice_document(
            one.kind,
            pictures=one.tracks,
            shares={
                "fused": one.fused,
                "surest_frame": one.surest,
                "majority": one.majority,
                "answered": one.answered,
                "answered_wrong": one.answered_wrong,
            },
            estimates=one.calibration,
        )
        part["paired"] = {
            "fused_over_surest_frame": _paired_document(one.over_surest),
            "fused_over_majority": _paired_document(one.over_majority),
        }
        result.append(part)
    return result


def video_slice(score: VideoScore, *, name: str) -> SliceDocument:
    """One plate in a video."""
    return slice_document(
        name,
        pictures=score.found.trials,
        shares={
            "frames_with_plate": score.found,
            "frames_right": score.right,
            "fused_right": Share(successes=int(score.is_fused_right), trials=1),
        },
    )


def probability_curves(judged: Judged) -> dict[str, list[dict[str, float]]]:
    """Calibration by both kinds of bins, and risk against coverage, as points."""
    risks = risk_coverage(judged)
    step = max(1, len(risks) // _CURVE_POINTS)
    kept = [one for number, one in enumerate(risks) if number % step == 0 or one is risks[-1]]
    return {
        "calibration": [_bin_point(one) for one in calibration_bins(judged, even_edges())],
        "calibration_adaptive": [
            _bin_point(one) for one in calibration_bins(judged, adaptive_edges(judged.confidences))
        ],
        "risk_coverage": [_risk_point(one) for one in kept],
    }


def latency_document(one: Latency) -> LatencyDocument:
    """One step's times."""
    return LatencyDocument(
        step=one.step,
        backend=one.backend,
        repeats=one.repeats,
        median_ms=estimate_document(one.median_ms),
        p90_ms=one.p90_ms,
    )


def machine_document(machine: Machine) -> MachineDocument:
    """Where figures were measured."""
    return MachineDocument(
        processor=machine.processor,
        cores=machine.cores,
        memory_gib=machine.memory_gib,
        load=machine.load,
        system=machine.system,
        python=machine.python,
        libraries=list(machine.libraries),
    )


def _paired_document(one: Paired) -> PairedDocument:
    return PairedDocument(
        difference=estimate_document(one.difference),
        only_first=one.only_first,
        only_second=one.only_second,
        p_value=one.p_value,
    )


def _bin_point(one: CalibrationBin) -> dict[str, float]:
    low, high = one.observed.interval_95
    return {
        "stated": one.stated,
        "observed": one.observed.value or 0.0,
        "low_95": low,
        "high_95": high,
        "trials": one.observed.trials,
    }


def _risk_point(one: RiskPoint) -> dict[str, float]:
    low, high = one.wrong.interval_95
    return {
        "threshold": one.threshold,
        "answered": one.answered.value or 0.0,
        "wrong": one.wrong.value or 0.0,
        "low_95": low,
        "high_95": high,
    }
