# SPDX-License-Identifier: AGPL-3.0-or-later
"""How well plates are read: exact texts, characters, and whether stated probabilities come true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.datasets.splits import Split
from models.evaluation.figures.calibration import (
    Judged,
    calibration_estimates,
    ratio_estimate,
    risk_at,
)
from models.evaluation.figures.intervals import Estimate, Share
from models.evaluation.picture_qualities import crop_facets
from models.runtime.corners import PlateCorners
from models.runtime.plate_formats import PROVINCE_CODES
from models.runtime.reader import PlateReader
from models.runtime.values import (
    Backend,
    BgrImage,
    FloatArray,
    PlateColour,
    PlateLayout,
    PlateReading,
)
from models.training.plates.real_crops import RealCrop, is_for_calibration, load_real_crops

LEAST_CROPS: Final = 20
"""Smaller slices are left out of reports on real crops: they say nothing."""
ALL_SLICES: Final = "all"
_CHUNK: Final = 64
_VEHICLES: Final[Mapping[str, str]] = {"gate-car": "car", "gate-motorbike": "motorbike"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCase:
    """One crop, what it says and what was read.

    Attributes:
        image: The crop.
        text: What the plate says.
        group: Name of the plate or track; cases of one group are not independent.
        facets: What slices it belongs to, as ``layout`` to ``one_line``.
        reading: What the reader made of it.
    """

    image: BgrImage
    text: str
    group: str
    facets: Mapping[str, str]
    reading: PlateReading

    @property
    def is_right(self) -> bool:
        """Whether the corrected text is right in every character."""
        return self.reading.text == self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingScore:
    """Figures of one slice of the crops.

    Attributes:
        slice_name: ``all``, or a facet and its value.
        pictures: Number of crops.
        plates: Number of different plates.
        exact: Plates whose corrected text is right in every character.
        exact_raw: The same for the text before the grammar.
        answered: Crops that are answered at the threshold.
        answered_wrong: Of these, the plates that are read wrongly.
        estimates: Character error rate, calibration errors, Brier score and
            log loss, by name.
    """

    slice_name: str
    pictures: int
    plates: int
    exact: Share
    exact_raw: Share
    answered: Share
    answered_wrong: Share
    estimates: Mapping[str, Estimate]

    @property
    def shares(self) -> Mapping[str, Share]:
        """The shares by name, in the order of the report."""
        return {
            "exact": self.exact,
            "exact_raw": self.exact_raw,
            "answered": self.answered,
            "answered_wrong": self.answered_wrong,
        }


def evaluate_reader(reader: PlateReader, *, pool: Path, split: Split) -> tuple[ReadingScore, ...]:
    """Read every real crop of a split; see :func:`read_split` and :func:`reading_scores`."""
    return reading_scores(
        read_split(reader, pool=pool, split=split), answer_from=reader.answer_from
    )


def read_split(reader: PlateReader, *, pool: Path, split: Split) -> tuple[ReadCase, ...]:
    """Read every real crop of a split.

    Args:
        reader: The reader.
        pool: Folder of real pictures.
        split: ``HOLD_OUT`` is the source that no training saw.

    Returns:
        One case per crop; empty when the split has no crops.

    Raises:
        DatasetError: If a crop is missing or can not be decoded.
    """
    crops = load_real_crops(pool, split)
    images = [crop.image for crop in crops]
    readings = read_all(reader, images)
    corners = _found_corners(images, backend=reader.backend)
    return tuple(
        ReadCase(
            image=crop.image,
            text=crop.text,
            group=crop.group,
            facets=_real_facets(crop, reading, split=split) | crop_facets(crop.image, found),
            reading=reading,
        )
        for crop, reading, found in zip(crops, readings, corners, strict=True)
    )


def _found_corners(images: Sequence[BgrImage], *, backend: Backend) -> list[FloatArray]:
    """Corners as the corner network finds them, for nobody labelled them."""
    finder = PlateCorners.open(backend=backend)
    corners: list[FloatArray] = []
    for start in range(0, len(images), _CHUNK):
        corners += list(finder.find(images[start : start + _CHUNK]))
    return corners


def read_all(reader: PlateReader, images: Sequence[BgrImage]) -> list[PlateReading]:
    """Readings of many crops in their order, a few at a time."""
    readings: list[PlateReading] = []
    for start in range(0, len(images), _CHUNK):
        readings += reader.read(images[start : start + _CHUNK])
    return readings


def reading_scores(
    cases: Sequence[ReadCase], *, answer_from: float, least_crops: int = LEAST_CROPS
) -> tuple[ReadingScore, ...]:
    """Scores of all cases and of every slice that is large enough.

    Args:
        cases: One per crop.
        answer_from: Confidence from which a reading is answered.
        least_crops: Slices of fewer crops are left out.

    Returns:
        Everything first, then by facet and value; empty without cases.
    """
    return tuple(
        reading_score(name, part, answer_from=answer_from)
        for name, part in _slices(cases)
        if len(part) >= (1 if name == ALL_SLICES else least_crops)
    )


def reading_score(name: str, cases: Sequence[ReadCase], *, answer_from: float) -> ReadingScore:
    """Figures of some cases."""
    judged = judged_cases(cases)
    at_threshold = risk_at(judged, threshold=answer_from)
    trials = len(cases)
    return ReadingScore(
        slice_name=name,
        pictures=trials,
        plates=judged.units,
        exact=Share(successes=sum(one.is_right for one in cases), trials=trials),
        exact_raw=Share(
            successes=sum(one.reading.raw_text == one.text for one in cases), trials=trials
        ),
        answered=at_threshold.answered,
        answered_wrong=at_threshold.wrong,
        estimates={"character_error_rate": _character_error_rate(cases, judged)}
        | calibration_estimates(judged),
    )


def judged_cases(cases: Sequence[ReadCase]) -> Judged:
    """Stated probabilities of cases with what came of them."""
    return Judged.of(
        [one.reading.confidence for one in cases],
        [one.is_right for one in cases],
        [one.group for one in cases],
    )


def province_of(text: str) -> str:
    """Code of the province that a text begins with; ``none`` where it has none."""
    return text[:2] if text[:2] in PROVINCE_CODES else "none"


def edit_distance(left: str, right: str) -> int:
    """Fewest insertions, deletions and replacements from one text to the other."""
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right, start=1):
            swap = previous[column - 1] + (a != b)
            current.append(min(swap, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


def _slices(cases: Sequence[ReadCase]) -> Iterable[tuple[str, list[ReadCase]]]:
    yield ALL_SLICES, list(cases)
    for facet in dict.fromkeys(name for one in cases for name in one.facets):
        for value in sorted({one.facets[facet] for one in cases if facet in one.facets}):
            yield f"{facet} {value}", [one for one in cases if one.facets.get(facet) == value]


def _real_facets(crop: RealCrop, reading: PlateReading, *, split: Split) -> dict[str, str]:
    """Slices of a real crop; nobody wrote the colour down, so it is the one that was read."""
    label = "doubtful" if crop.has_doubtful_label else "not doubted"
    facets = {"label": label, "source": crop.source, "layout": crop.layout.value}
    if split is Split.VALIDATION:
        facets["plates that"] = "calibrated" if is_for_calibration(crop.group) else "only measure"
    vehicle = "car" if crop.layout is PlateLayout.ONE_LINE else _VEHICLES.get(crop.source)
    if vehicle is not None:
        facets["vehicle"] = vehicle
    if reading.colour is not PlateColour.UNKNOWN:
        facets["colour as read"] = reading.colour.value
    return facets | {"province": province_of(crop.text)}


def _character_error_rate(cases: Sequence[ReadCase], judged: Judged) -> Estimate:
    """Wrong characters over written ones; the interval draws plates."""
    errors = np.array([edit_distance(one.text, one.reading.text) for one in cases], np.float64)
    written = np.array([len(one.text) for one in cases], np.float64)
    return ratio_estimate(judged, errors, written)
