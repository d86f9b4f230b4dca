# SPDX-License-Identifier: AGPL-3.0-or-later
"""How sure the reader may be: its belief fitted on plates that it never trained on."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.datasets.synth.camera import photographed, random_severity
from models.datasets.synth.not_plates import random_not_plate
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.believing import Belief
from models.runtime.corners import frame_corners
from models.runtime.reader import Look, PlateReader, reading_of
from models.runtime.values import BgrImage
from models.training.plates.reader_samples import RealPlate, real_sample
from models.training.plates.real_crops import RealCrop

TEMPERATURES: Final = (0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5)
DOUBTS: Final = (0.0001, 0.0005, 0.002)
SLOPES: Final = tuple(round(0.5 + 0.1 * step, 1) for step in range(26))
OFFSETS: Final = tuple(round(-2.0 + 0.2 * step, 1) for step in range(21))
ANSWER_WRONG_MAX: Final = 0.005
"""Share of answers that may be wrong at the threshold that is chosen."""
ANSWER_FROM_LEAST: Final = 0.5
_COPIES: Final = 2
_RENDERED: Final = 500
_NOT_PLATES: Final = 80
_CHUNK: Final = 64
_PLATE_HEIGHT_PX: Final = 120
_LEAST: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted belief and how well it holds on the plates it was fitted on.

    Attributes:
        belief: What the registry's entry gets.
        log_loss: Mean log loss of "the text is exactly right".
        error: Mean distance between stated and observed probability, ten bins.
        plates: Number of pictures that were used.
    """

    belief: Belief
    log_loss: float
    error: float
    plates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    look: Look
    text: str


def calibrate(reader: PlateReader, crops: Sequence[RealCrop], *, seed: int) -> Calibration:
    """Find the belief whose probabilities come true.

    Args:
        reader: The exported reader; what it believes so far does not matter.
        crops: Real crops that are in no training; each is also spoiled, and
            renderings and things that are no plate are added, so that hard
            pictures have a say.
        seed: Of the degradations.
    """
    seen = list(_observe(reader, _pictures(crops, seed=seed)))
    start = Belief(temperature=1.0, doubt=DOUBTS[0], slope=1.0, offset=0.0, answer_from=0.9)
    grid = [
        replace(start, temperature=temperature, doubt=doubt)
        for temperature, doubt in itertools.product(TEMPERATURES, DOUBTS)
    ]
    softened = min(grid, key=lambda belief: _log_loss(*_stated(seen, belief)))
    belief = _fit_odds(seen, softened)
    stated, right = _stated(seen, belief)
    return Calibration(
        belief=replace(belief, answer_from=answer_threshold(stated, right)),
        log_loss=_log_loss(stated, right),
        error=calibration_error(stated.tolist(), right.tolist()),
        plates=len(seen),
    )


def answer_threshold(stated: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The lowest confidence from which at most ``ANSWER_WRONG_MAX`` of the answers are wrong.

    Args:
        stated: Confidences, shape ``(n,)``.
        right: Whether each came true.

    Returns:
        At least ``ANSWER_FROM_LEAST``; just below 1 where no threshold is good enough.
    """
    order = np.argsort(-stated, kind="stable")
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(wrong <= ANSWER_WRONG_MAX)
    if len(good) == 0:
        return 1.0 - _LEAST
    return float(np.clip(stated[order[good[-1]]], ANSWER_FROM_LEAST, 1.0 - _LEAST))


def _pictures(crops: Sequence[RealCrop], *, seed: int) -> Iterator[tuple[BgrImage, str]]:
    rng = np.random.default_rng(seed)
    for crop in crops:
        yield crop.image, crop.text
        plate = RealPlate(
            image=crop.image,
            corners_px=frame_corners(crop.image),
            text=crop.text,
            layout=crop.layout,
            group=crop.group,
        )
        for _ in range(_COPIES):
            yield real_sample(plate, rng, ()).image, crop.text
    for _ in range(_RENDERED):
        spec = random_plate_spec(rng)
        sheet = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)
        yield photographed(sheet, rng=rng, severity=random_severity(rng)).image, spec.text
    for _ in range(_NOT_PLATES):
        yield random_not_plate(rng), ""


def _observe(reader: PlateReader, pictures: Iterable[tuple[BgrImage, str]]) -> Iterator[_Seen]:
    listed = list(pictures)
    for start in range(0, len(listed), _CHUNK):
        part = listed[start : start + _CHUNK]
        looks = reader.look([image for image, _ in part])
        for look, (_, text) in zip(looks, part, strict=True):
            yield _Seen(look=look, text=text)


def _stated(seen: Sequence[_Seen], belief: Belief) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    readings = [reading_of(one.look, belief=belief) for one in seen]
    stated = np.array([reading.confidence for reading in readings])
    right = [reading.text == one.text != "" for reading, one in zip(readings, seen, strict=True)]
    return stated, np.array(right)


def _fit_odds(seen: Sequence[_Seen], belief: Belief) -> Belief:
    """The slope and offset of the log odds with the least log loss."""
    readings = [reading_of(one.look, belief=replace(belief, slope=1.0, offset=0.0)) for one in seen]
    right = np.array(
        [reading.text == one.text != "" for reading, one in zip(readings, seen, strict=True)]
    )
    real = np.array([max(_LEAST, reading.genuineness) for reading in readings])
    posterior = np.clip(np.array([r.confidence for r in readings]) / real, _LEAST, 1 - _LEAST)
    odds = np.log(posterior / (1 - posterior))

    def loss(pair: tuple[float, float]) -> float:
        slope, offset = pair
        return _log_loss(real / (1.0 + np.exp(-(slope * odds + offset))), right)

    slope, offset = min(itertools.product(SLOPES, OFFSETS), key=loss)
    return replace(belief, slope=slope, offset=offset)


def _log_loss(stated: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    p = np.clip(stated, _LEAST, 1 - _LEAST)
    return float(-np.where(right, np.log(p), np.log(1 - p)).mean())


def calibration_error(stated: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float:
    """Mean absolute distance between stated and observed probability.

    Args:
        stated: Probabilities, 0 to 1.
        right: Whether each came true.
        bins: Equal parts of 0 to 1 over which is averaged, weighted by count.
    """
    p, y = np.array(stated), np.array(right, np.float64)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(float(p[places == k].mean() - y[places == k].mean())) * float((places == k).sum())
        for k in range(bins)
        if (places == k).any()
    ]
    return float(sum(gaps) / max(1, len(p)))
