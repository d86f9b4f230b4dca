# SPDX-License-Identifier: AGPL-3.0-or-later
"""How sure the reader may be: temperature and doubt fitted on plates that it never trained on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.datasets.synth.camera import photograph, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.grammar import decode
from models.runtime.reader import believable_probabilities, softmax
from models.runtime.reader_input import READER_HEIGHT_PX, READER_WIDTH_PX, prepare_crops
from models.runtime.sessions import Session
from models.runtime.values import BgrImage, FloatArray
from models.training.reader_data import COLOURS, LAYOUTS, RealCrop, varied_real_sample

TEMPERATURES: Final = (0.7, 0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)
DOUBTS: Final = (0.0002, 0.0005, 0.001, 0.002, 0.004, 0.008)
_COPIES: Final = 2
_RENDERED: Final = 300
_CHUNK: Final = 64
_PLATE_HEIGHT_PX: Final = 120
_LEAST: Final = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What the registry's entry gets.

    Attributes:
        temperature: See ``believable_probabilities``.
        doubt: See ``believable_probabilities``.
        log_loss: Mean log loss of "the text is exactly right" on the calibration plates.
        error: Mean distance between stated and observed probability, ten bins.
        plates: Number of pictures that were used.
    """

    temperature: float
    doubt: float
    log_loss: float
    error: float
    plates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    characters: FloatArray
    layouts: FloatArray
    colours: FloatArray
    legible: FloatArray
    text: str


def calibrate(session: Session, crops: Sequence[RealCrop], *, seed: int) -> Calibration:
    """Find the temperature and doubt whose probabilities come true.

    Args:
        session: The exported reader.
        crops: Real crops that are in no training; each is also degraded, and
            renderings are added, so that hard pictures have a say.
        seed: Of the degradations.
    """
    seen = list(_observe(session, _pictures(crops, seed=seed)))
    warm = [_measure(seen, temperature=t, doubt=DOUBTS[0]) for t in TEMPERATURES]
    temperature = min(warm, key=lambda result: result.log_loss).temperature
    results = [_measure(seen, temperature=temperature, doubt=doubt) for doubt in DOUBTS]
    return min(results, key=lambda result: result.log_loss)


def _pictures(crops: Sequence[RealCrop], *, seed: int) -> Iterator[tuple[BgrImage, str]]:
    rng = np.random.default_rng(seed)
    for crop in crops:
        yield crop.image, crop.text
        for _ in range(_COPIES):
            yield varied_real_sample(crop, rng).image, crop.text
    for _ in range(_RENDERED):
        spec = random_plate_spec(rng)
        plate = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)
        yield photograph(plate, rng=rng, severity=random_severity(rng)), spec.text


def _observe(session: Session, pictures: Iterable[tuple[BgrImage, str]]) -> Iterator[_Seen]:
    listed = list(pictures)
    for start in range(0, len(listed), _CHUNK):
        part = listed[start : start + _CHUNK]
        batch = prepare_crops(
            [image for image, _ in part], height_px=READER_HEIGHT_PX, width_px=READER_WIDTH_PX
        )
        outputs = dict(zip(session.output_names, session.run(batch), strict=True))
        for index, (_, text) in enumerate(part):
            yield _Seen(
                characters=outputs["characters"][index],
                layouts=softmax(outputs["layout"][index]),
                colours=softmax(outputs["colour"][index]),
                legible=outputs["legible"].reshape(-1)[index : index + 1],
                text=text,
            )


def _measure(seen: Sequence[_Seen], *, temperature: float, doubt: float) -> Calibration:
    stated, right = [], []
    for one in seen:
        slots = believable_probabilities(
            one.characters[np.newaxis], one.legible, temperature=temperature, doubt=doubt
        )[0]
        decoded = decode(
            slots,
            layouts=dict(zip(LAYOUTS, one.layouts.tolist(), strict=True)),
            colours=dict(zip(COLOURS, one.colours.tolist(), strict=True)),
        )
        stated.append(min(1 - _LEAST, max(_LEAST, decoded.confidence)))
        right.append(decoded.text == one.text)
    p, y = np.array(stated), np.array(right, np.float64)
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()
    return Calibration(
        temperature=temperature,
        doubt=doubt,
        log_loss=float(loss),
        error=calibration_error(stated, right),
        plates=len(seen),
    )


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
