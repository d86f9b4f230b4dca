# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps a worse model from being released unnoticed.

Every case of the frozen pictures is right or wrong. The released models'
judgements are kept; a new model is held against them case by case. A slice
has fallen when so many more cases were lost than gained that chance explains
it in less than 5 % of runs: exact one-sided McNemar test, corrected after Holm
for looking at many slices.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypedDict

from models.errors import DatasetError
from models.evaluation.detection import match
from models.evaluation.figures.comparison import fall_p, holm
from models.evaluation.frozen.pictures import TRACK, FrozenCrop, FrozenScene, FrozenSet
from models.evaluation.reading import read_all
from models.runtime.detector import Detector
from models.runtime.fusion import fuse_readings
from models.runtime.reader import PlateReader
from models.runtime.registry import PLATE_DETECTOR, VEHICLE_DETECTOR, load_model, model_names
from models.runtime.values import Backend, PlateReading

BASELINE_FILE: Final = Path(__file__).resolve().parents[1] / "baseline.json"
SCHEMA: Final = "luuthong-gate/1"
LIMIT: Final = 0.05
LEAST_CASES: Final = 10
"""Slices of fewer cases are not tested: they could not fall significantly."""
ALL_SLICES: Final = "all"
_MAX_BYTES: Final = 1_000_000


class BaselineDocument(TypedDict):
    """Judgements of the released models, one character a case: 1 right, 0 wrong."""

    schema: str
    frozen_sha256: str
    models: dict[str, str]
    judgements: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether one case came out right, and the slices it belongs to beside ``all``."""

    is_right: bool
    slices: tuple[str, ...] = ()


Judgements = Mapping[str, Sequence[Judgement]]
"""Every measure's cases, in the order of the frozen pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One slice of one measure, before and now.

    Attributes:
        measure: What was judged.
        slice_name: ``all``, or what the cases have in common.
        cases: How many.
        before: Right cases of the baseline.
        now: Right cases of this run.
        lost: Cases that were right and are wrong now.
        gained: The other way round.
        p_value: Of the fall, corrected for all slices.
    """

    measure: str
    slice_name: str
    cases: int
    before: int
    now: int
    lost: int
    gained: int
    p_value: float

    @property
    def has_fallen(self) -> bool:
        """Whether chance hardly explains the fall."""
        return self.p_value < LIMIT


def measure_frozen(frozen: FrozenSet, *, backend: Backend = Backend.AUTO) -> Judgements:
    """Judge the released models on the frozen pictures."""
    reader = PlateReader.open(backend=backend)
    plates = Detector.open(PLATE_DETECTOR, backend=backend)
    vehicles = Detector.open(VEHICLE_DETECTOR, backend=backend)
    return (
        judge_reader(reader, frozen.crops)
        | judge_plate_detector(plates, frozen.scenes)
        | judge_vehicle_detector(vehicles, frozen.scenes)
    )


def judge_reader(reader: PlateReader, crops: Sequence[FrozenCrop]) -> dict[str, list[Judgement]]:
    """What becomes of the crops: read, answered rightly or wrongly, fused, decoys rejected."""
    readings = read_all(reader, [crop.image for crop in crops])
    exact, useful, honest, rejected = [], [], [], []
    tracks: dict[str, tuple[str, list[PlateReading]]] = {}
    for crop, reading in zip(crops, readings, strict=True):
        is_answered = reading.confidence >= reader.answer_from
        if not crop.text:
            rejected.append(Judgement(is_right=not is_answered))
            continue
        is_right = reading.text == crop.text
        slices = tuple(f"{facet} {value}" for facet, value in crop.facets.items())
        exact.append(Judgement(is_right=is_right, slices=slices))
        condition = crop.facets["condition"]
        slices = (f"condition {condition}",)
        useful.append(Judgement(is_right=is_right and is_answered, slices=slices))
        honest.append(Judgement(is_right=is_right or not is_answered, slices=slices))
        if condition == TRACK:
            tracks.setdefault(crop.track, (crop.text, []))[1].append(reading)
    fused = [
        Judgement(is_right=fuse_readings(frames).text == text) for text, frames in tracks.values()
    ]
    return {
        "plate read exactly": exact,
        "plate answered and right": useful,
        "plate not answered wrongly": honest,
        "track fused exactly": fused,
        "no plate, not answered": rejected,
    }


def judge_plate_detector(
    detector: Detector, scenes: Sequence[FrozenScene]
) -> dict[str, list[Judgement]]:
    """Plates found, and pictures without a false plate."""
    found, clean = [], []
    for scene in scenes:
        if scene.plates is None:
            continue
        matches = match(scene.plates, detector.detect(scene.image))
        found += [Judgement(is_right=label is not None) for label in matches.found_as]
        clean.append(Judgement(is_right=all(matches.is_right)))
    return {"plate found": found, "picture without false plate": clean}


def judge_vehicle_detector(
    detector: Detector, scenes: Sequence[FrozenScene]
) -> dict[str, list[Judgement]]:
    """Vehicles found, vehicles found under their label, pictures without a false vehicle."""
    found, named, clean = [], [], []
    for scene in scenes:
        if scene.vehicles is None:
            continue
        matches = match(scene.vehicles, detector.detect(scene.image))
        for truth, label in zip(scene.vehicles, matches.found_as, strict=True):
            slices = (f"class {truth.label}",)
            found.append(Judgement(is_right=label is not None, slices=slices))
            named.append(Judgement(is_right=label == truth.label, slices=slices))
        clean.append(Judgement(is_right=all(matches.is_right)))
    return {
        "vehicle found": found,
        "vehicle found as its class": named,
        "picture without false vehicle": clean,
    }


def baseline_of(judgements: Judgements, *, frozen_sha256: str) -> BaselineDocument:
    """The judgements as a document to keep."""
    return BaselineDocument(
        schema=SCHEMA,
        frozen_sha256=frozen_sha256,
        models={name: load_model(name).sha256 for name in model_names()},
        judgements={
            measure: "".join("1" if one.is_right else "0" for one in cases)
            for measure, cases in judgements.items()
        },
    )


def write_baseline(baseline: BaselineDocument, path: Path = BASELINE_FILE) -> None:
    """Keep the judgements of the models that are released now."""
    path.write_text(json.dumps(baseline, indent=1) + "\n", encoding="utf-8")


def read_baseline(path: Path = BASELINE_FILE) -> BaselineDocument:
    """The kept judgements.

    Raises:
        DatasetError: They are missing or malformed.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{path.name} is too large for a baseline")
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["schema"] != SCHEMA:
            raise DatasetError(f"{path.name} has another schema than {SCHEMA}")
        return BaselineDocument(
            schema=SCHEMA,
            frozen_sha256=str(values["frozen_sha256"]),
            models={str(name): str(digest) for name, digest in values["models"].items()},
            judgements={str(name): str(bits) for name, bits in values["judgements"].items()},
        )
    except OSError as error:
        raise DatasetError(f"no {path.name}; luuthong-models evaluate --write-baseline") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path.name} is malformed") from error


def compare(
    judgements: Judgements, baseline: BaselineDocument, *, frozen_sha256: str
) -> tuple[Verdict, ...]:
    """Hold a run against the baseline, slice by slice.

    Raises:
        DatasetError: The baseline is of other pictures or other measures.
    """
    if baseline["frozen_sha256"] != frozen_sha256:
        raise DatasetError("the baseline was made on other frozen pictures; write it again")
    sizes = {measure: len(bits) for measure, bits in baseline["judgements"].items()}
    if sizes != {measure: len(cases) for measure, cases in judgements.items()}:
        raise DatasetError("the baseline judges other cases; write it again")
    found: list[Verdict] = []
    for measure, cases in judgements.items():
        before = [bit == "1" for bit in baseline["judgements"][measure]]
        found += _verdicts(measure, cases, before)
    corrected = holm([one.p_value for one in found])
    return tuple(replace(one, p_value=p) for one, p in zip(found, corrected, strict=True))


def gate_text(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as a table."""
    head = (
        f"{'measure':<30} {'slice':<34} {'cases':>5} {'before':>7} {'now':>7} {'lost':>4}"
        f" {'won':>4} {'p':>6}"
    )
    lines = [head, "-" * len(head)]
    for one in verdicts:
        share_before, share_now = one.before / one.cases, one.now / one.cases
        lines.append(
            f"{one.measure:<30} {one.slice_name:<34} {one.cases:>5} {share_before:>7.1%}"
            f" {share_now:>7.1%} {one.lost:>4} {one.gained:>4} {one.p_value:>6.3f}"
            f"{'  FALLEN' if one.has_fallen else ''}"
        )
    fallen = sum(one.has_fallen for one in verdicts)
    lines.append(
        f"{fallen} of {len(verdicts)} slices have fallen"
        f" (exact one-sided McNemar test, {LIMIT:.0%} after Holm)"
    )
    return "\n".join(lines)


def _verdicts(measure: str, cases: Sequence[Judgement], before: Sequence[bool]) -> list[Verdict]:
    members: dict[str, list[int]] = {ALL_SLICES: list(range(len(cases)))}
    for index, one in enumerate(cases):
        for name in one.slices:
            members.setdefault(name, []).append(index)
    verdicts = []
    for name, indices in members.items():
        if len(indices) < LEAST_CASES:
            continue
        lost = sum(before[index] and not cases[index].is_right for index in indices)
        gained = sum(cases[index].is_right and not before[index] for index in indices)
        verdicts.append(
            Verdict(
                measure=measure,
                slice_name=name,
                cases=len(indices),
                before=sum(before[index] for index in indices),
                now=sum(cases[index].is_right for index in indices),
                lost=lost,
                gained=gained,
                p_value=fall_p(lost=lost, gained=gained),
            )
        )
    return verdicts
