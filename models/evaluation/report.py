# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measures the released models on everything there is, and puts the figures together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from models.datasets.manifest import (
    MANIFEST_FOLDER,
    MANIFEST_NAMES,
    PLATE_SCENES,
    read_manifest,
    rows_of,
)
from models.datasets.splits import Split
from models.errors import DatasetError, ModelRegistryError
from models.evaluation.detection import (
    LISTED_FROM,
    MIN_OVERLAP,
    Outcome,
    detect_pictures,
    detection_scores,
    read_picture,
)
from models.evaluation.document import (
    SCHEMA,
    EstimateDocument,
    EvaluationDocument,
    LatencyDocument,
    MeasurementDocument,
    ModelDocument,
    ShareDocument,
    SliceDocument,
    detection_slices,
    latency_document,
    machine_document,
    probability_curves,
    reading_slices,
    sequence_slices,
    slice_document,
    video_slice,
)
from models.evaluation.latency import measure_latency, this_machine
from models.evaluation.picture_qualities import RULES
from models.evaluation.reading import (
    ReadCase,
    judged_cases,
    read_split,
    reading_score,
    reading_scores,
)
from models.evaluation.reading_conditions import (
    CONDITIONS,
    MIXED_PLATES,
    PLATES_PER_CONDITION,
    evaluate_not_plates,
    read_condition,
    read_mixture,
)
from models.evaluation.sequences import TRACKS, evaluate_sequences
from models.evaluation.videos import (
    MOTORBIKE_VIDEO,
    NIGHT_VIDEO,
    night_outcomes,
    read_motorbike_video,
)
from models.evaluation.whole_pictures import read_whole_pictures, whole_scores
from models.runtime.detector import Detector
from models.runtime.reader import PlateReader
from models.runtime.registry import (
    PLATE_DETECTOR,
    PLATE_READER,
    VEHICLE_DETECTOR,
    file_sha256,
    load_model,
    model_names,
)
from models.runtime.values import Backend, VehicleClass
from models.training.detectors.settings import read_detector_training

DETECTORS: Final = (PLATE_DETECTOR, VEHICLE_DETECTOR)
FUSION: Final = "fusion"
WHOLE: Final = "plate-detector and plate-reader"
RENDERED: Final = "rendered, one condition at a time"
_GATE_FRAMES: Final = 20
MIXTURE: Final = "rendered, mixed conditions"
NOT_PLATES: Final = "rendered, no Vietnamese plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured beside the pool's pictures; less is quicker and less sure.

    Attributes:
        condition_plates: Rendered plates per condition.
        mixed_plates: Rendered plates of mixed conditions.
        tracks: Rendered tracks of each kind.
        latency_repeats: Timed runs per step; 0 times nothing.
    """

    condition_plates: int = PLATES_PER_CONDITION
    mixed_plates: int = MIXED_PLATES
    tracks: int = TRACKS
    latency_repeats: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One run: the document, and what a gallery of failures is made from.

    Attributes:
        document: All figures.
        cases: Every real crop that was read.
        outcomes: Every picture of the pool that a detector saw, by model.
    """

    document: EvaluationDocument
    cases: tuple[ReadCase, ...]
    outcomes: dict[str, tuple[Outcome, ...]]


def evaluate_models(
    names: Sequence[str],
    *,
    pool: Path,
    splits: Sequence[Split],
    backend: Backend,
    now: datetime,
    extent: Extent,
    on_step: Callable[[str], None],
) -> Evaluation:
    """Measure models and put the figures together.

    Args:
        names: Registry names.
        pool: Folder of real pictures.
        splits: ``VALIDATION``, ``HOLD_OUT`` or both; a model without pictures
            of a split is left out of it.
        backend: Inference library.
        now: When this is.
        extent: How much is measured beside the pool's pictures.
        on_step: Told what comes next, for it takes minutes.

    Raises:
        ModelsError: A model or a picture is missing or wrong.
    """
    models = [_model_document(name) for name in model_names()]
    measurements: list[MeasurementDocument] = []
    outcomes: dict[str, tuple[Outcome, ...]] = {}
    cases: tuple[ReadCase, ...] = ()
    for name in names:
        on_step(f"{name} …")
        if name in DETECTORS:
            found, outcomes[name] = _measure_detector(
                name, pool=pool, splits=splits, backend=backend
            )
        else:
            found, cases = _measure_reader(pool=pool, splits=splits, backend=backend, extent=extent)
        measurements += found
    if not any(one["data"] in set(splits) for one in measurements):
        raise DatasetError(f"none of these models has pictures in {', '.join(splits)}")
    on_step("latency …")
    document = EvaluationDocument(
        schema=SCHEMA,
        made_at=now.isoformat(timespec="seconds"),
        split=", ".join(splits),
        backend=backend.value,
        machine=machine_document(this_machine()),
        models=models,
        manifests={name: file_sha256(MANIFEST_FOLDER / f"{name}.csv") for name in MANIFEST_NAMES},
        rules=RULES.splitlines(),
        min_overlap=MIN_OVERLAP,
        answer_from=load_model(PLATE_READER).config.number("answer_from"),
        measurements=measurements,
        latency=_latency(pool, repeats=extent.latency_repeats),
    )
    if models != [_model_document(name) for name in model_names()]:
        raise ModelRegistryError("another model was released meanwhile; measure again")
    return Evaluation(document=document, cases=cases, outcomes=outcomes)


def thresholds() -> dict[str, float]:
    """Confidence from which each detector reports a box, by model."""
    return {name: load_model(name).config.number("min_confidence") for name in DETECTORS}


def evaluation_text(document: EvaluationDocument) -> str:
    """The figures as a table for people; every one with its 95 % interval."""
    lines = [
        f"boxes right from IoU {document['min_overlap']}, answered from {document['answer_from']}"
    ]
    for one in document["measurements"]:
        lines.append(f"\n{one['subject']}: {one['data']}")
        for part in one["slices"]:
            lines.append(f"  {part['slice']} ({part['pictures']})")
            lines += [f"    {k:<22} {share_text(v)}" for k, v in part["shares"].items()]
            lines += [f"    {k:<22} {estimate_text(v)}" for k, v in part["estimates"].items()]
            lines += [
                f"    {key:<22} {estimate_text(two['difference'])}, p {two['p_value']:.2g}"
                for key, two in part.get("paired", {}).items()
            ]
    lines += [
        f"\n{one['step']}, {one['backend']}: median {one['median_ms']['value']:.1f} ms,"
        f" p90 {one['p90_ms']:.1f} ms, {one['repeats']} runs"
        for one in document["latency"]
    ]
    return "\n".join(lines)


def share_text(share: ShareDocument) -> str:
    """A share with its interval, in per cent."""
    if share["value"] is None:
        return "no data"
    low, high = share["low_95"], share["high_95"]
    return f"{share['value']:.1%} [{low:.1%}, {high:.1%}] of {share['trials']}"


def estimate_text(one: EstimateDocument) -> str:
    """Another figure with its interval."""
    if one["value"] is None:
        return "no data"
    return f"{one['value']:.4f} [{one['low_95']:.4f}, {one['high_95']:.4f}]"


def _model_document(name: str) -> ModelDocument:
    model = load_model(name)
    return ModelDocument(model=name, version=model.version, sha256=model.sha256)


def _latency(pool: Path, *, repeats: int) -> list[LatencyDocument]:
    """Times on the pool's gate frames."""
    if not repeats:
        return []
    rows = rows_of(read_manifest(PLATE_SCENES), Split.VALIDATION)
    frames = [read_picture(pool / row.file) for row in rows[:: max(1, len(rows) // _GATE_FRAMES)]]
    return [latency_document(one) for one in measure_latency(frames, repeats=repeats)]


def _measure_detector(
    name: str, *, pool: Path, splits: Sequence[Split], backend: Backend
) -> tuple[list[MeasurementDocument], tuple[Outcome, ...]]:
    training = read_detector_training(name)
    threshold = load_model(name).config.number("min_confidence")
    detector = Detector.open(name, backend=backend, min_confidence=LISTED_FROM)
    rows = read_manifest(training.manifest)
    measurements: list[MeasurementDocument] = []
    every: list[Outcome] = []
    for split in splits:
        seen = detect_pictures(
            detector,
            rows_of(rows, split),
            pool=pool,
            labels=training.labels,
            class_of=training.class_of,
        )
        if seen:
            every += seen
            scores = detection_scores(seen, labels=training.labels, min_confidence=threshold)
            slices = detection_slices(scores, labels=len(training.labels))
            measurements.append(_measurement(name, data=split.value, slices=slices))
    if name == VEHICLE_DETECTOR and (pool / "videos" / NIGHT_VIDEO).is_file():
        classes = [one.value for one in VehicleClass]
        night = night_outcomes(detector, pool=pool, labels=classes)
        scores = detection_scores(night, labels=training.labels, min_confidence=threshold)
        slices = detection_slices(scores, labels=len(training.labels))
        note = "boxes unchecked; frames of one video, so the truth is wider than the intervals"
        measurements.append(_measurement(name, data="toll road by night", slices=slices, note=note))
    return measurements, tuple(every)


def _measure_reader(
    *, pool: Path, splits: Sequence[Split], backend: Backend, extent: Extent
) -> tuple[list[MeasurementDocument], tuple[ReadCase, ...]]:
    reader = PlateReader.open(backend=backend)
    measurements: list[MeasurementDocument] = []
    every: list[ReadCase] = []
    for split in splits:
        cases = read_split(reader, pool=pool, split=split)
        if cases:
            every += cases
            note = (
                "labels as they are in the pool; where a person saw another text they are doubtful"
            )
            measurements.append(_reading(reader, cases, data=split.value, note=note))
    conditions = [
        reading_score(
            name,
            read_condition(reader, name, plates=extent.condition_plates),
            answer_from=reader.answer_from,
        )
        for name in CONDITIONS
    ]
    measurements.append(
        _measurement(PLATE_READER, data=RENDERED, slices=reading_slices(conditions))
    )
    measurements.append(
        _reading(reader, read_mixture(reader, plates=extent.mixed_plates), data=MIXTURE, note="")
    )
    rejected = [
        slice_document(name, pictures=share.trials, shares={"answered": share})
        for name, share in evaluate_not_plates(reader, answer_from=reader.answer_from).items()
    ]
    note = "nothing here is a Vietnamese plate: the fewer are answered, the better"
    measurements.append(_measurement(PLATE_READER, data=NOT_PLATES, slices=rejected, note=note))
    measurements.append(_measure_whole_pictures(reader, pool=pool, backend=backend))
    measurements.append(_measure_fusion(reader, pool=pool, backend=backend, tracks=extent.tracks))
    return measurements, tuple(every)


def _measure_fusion(
    reader: PlateReader, *, pool: Path, backend: Backend, tracks: int
) -> MeasurementDocument:
    scores, judged = evaluate_sequences(reader, answer_from=reader.answer_from, tracks=tracks)
    slices = sequence_slices(scores)
    if (pool / "videos" / MOTORBIKE_VIDEO).is_file():
        detector = Detector.open(PLATE_DETECTOR, backend=backend)
        video = read_motorbike_video(detector, reader, pool=pool)
        slices.append(video_slice(video, name="real video, one plate"))
    measurement = _measurement(FUSION, data="tracks", slices=slices)
    measurement["curves"] = probability_curves(judged)
    return measurement


def _measure_whole_pictures(
    reader: PlateReader, *, pool: Path, backend: Backend
) -> MeasurementDocument:
    detector = Detector.open(PLATE_DETECTOR, backend=backend)
    read = read_whole_pictures(detector, reader, pool=pool)
    slices = [
        slice_document(one.slice_name, pictures=one.pictures, shares=one.shares)
        for one in whole_scores(read, answer_from=reader.answer_from)
    ]
    note = "gate pictures: the plate detector's surest box, read; a plate not found counts as wrong"
    return _measurement(WHOLE, data=Split.VALIDATION.value, slices=slices, note=note)


def _reading(
    reader: PlateReader, cases: Sequence[ReadCase], *, data: str, note: str
) -> MeasurementDocument:
    scores = reading_scores(cases, answer_from=reader.answer_from)
    measurement = _measurement(PLATE_READER, data=data, slices=reading_slices(scores), note=note)
    measurement["curves"] = probability_curves(judged_cases(cases))
    return measurement


def _measurement(
    subject: str, *, data: str, slices: list[SliceDocument], note: str = ""
) -> MeasurementDocument:
    return MeasurementDocument(subject=subject, data=data, note=note, slices=slices, curves={})
