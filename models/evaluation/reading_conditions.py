# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the reader bears each condition, on renderings whose truth is exact.

Real crops of the pool are mostly frontal and by day; these slices show what
tilt, night, rain, blur and distance cost, each by itself and all together, and
that every format, background and province is read.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator

from models.datasets.synth.camera import Photograph, Severity, photographed, random_severity
from models.datasets.synth.decoys.foreign import random_foreign_plate
from models.datasets.synth.decoys.objects import OBJECT_MAKERS
from models.datasets.synth.plates import PlateSpec, random_plate_spec, render_plate
from models.evaluation.figures.intervals import Share
from models.evaluation.picture_qualities import crop_facets
from models.evaluation.reading import ReadCase, province_of, read_all
from models.runtime.reader import PlateReader
from models.runtime.values import BgrImage


def _random_object(rng: Generator) -> BgrImage:
    shares = [share for _, share in OBJECT_MAKERS]
    draw, _ = OBJECT_MAKERS[int(rng.choice(len(shares), p=shares))]
    return draw(rng)


CLEAR: Final = Severity(
    viewpoint=0.15, blur=0.05, noise=0.1, light=0.1, weather=0, compression=0, jitter=0.3
)
CONDITIONS: Final[Mapping[str, Severity]] = MappingProxyType(
    {
        "clear": CLEAR,
        "tilt up to 40 degrees": Severity(
            viewpoint=1, blur=0.05, noise=0.1, light=0.1, weather=0, compression=0, jitter=0.3
        ),
        "night, infrared, glare": Severity(
            viewpoint=0.15, blur=0.1, noise=0.5, light=1, weather=0, compression=0, jitter=0.3
        ),
        "rain and dirt": Severity(
            viewpoint=0.15, blur=0.1, noise=0.1, light=0.2, weather=1, compression=0, jitter=0.3
        ),
        "motion and focus": Severity(
            viewpoint=0.15, blur=1, noise=0.1, light=0.1, weather=0, compression=0, jitter=0.3
        ),
        "small and compressed": Severity(
            viewpoint=0.15, blur=0.1, noise=0.1, light=0.1, weather=0, compression=1, jitter=0.3
        ),
    }
)
NOT_PLATE_KINDS: Final[Mapping[str, Callable[[Generator], BgrImage]]] = MappingProxyType(
    {
        "plates of other countries": random_foreign_plate,
        "lettering, signs and parts": _random_object,
    }
)
PLATES_PER_CONDITION: Final = 200
MIXED_PLATES: Final = 3000
NOT_PLATES: Final = 400
_SEED: Final = 4711
_MIXED_SEED: Final = 9311
_NOT_PLATE_SEED: Final = 6007
_PLATE_HEIGHT_PX: Final = 120


def evaluate_conditions(
    reader: PlateReader, *, plates: int = PLATES_PER_CONDITION
) -> dict[str, Share]:
    """Share of rendered plates read exactly, by condition.

    Args:
        reader: The reader.
        plates: Plates per condition, of formats drawn as in training but from
            another seed.
    """
    return {name: _exact(read_condition(reader, name, plates=plates)) for name in CONDITIONS}


def evaluate_formats(reader: PlateReader, *, format_id: str, plates: int) -> Share:
    """Share of clear rendered plates of one format that are read exactly."""
    rng = np.random.default_rng(_SEED)
    specs = [random_plate_spec(rng, format_id=format_id) for _ in range(plates)]
    shown = [photographed_plate(spec, rng=rng, severity=CLEAR) for spec in specs]
    return _exact(read_rendered(reader, specs, shown))


def read_condition(reader: PlateReader, name: str, *, plates: int) -> tuple[ReadCase, ...]:
    """Rendered plates under one of ``CONDITIONS``, read."""
    rng = np.random.default_rng(_SEED + list(CONDITIONS).index(name))
    specs = [random_plate_spec(rng) for _ in range(plates)]
    shown = [photographed_plate(spec, rng=rng, severity=CONDITIONS[name]) for spec in specs]
    return read_rendered(reader, specs, shown)


def read_mixture(reader: PlateReader, *, plates: int = MIXED_PLATES) -> tuple[ReadCase, ...]:
    """Rendered plates under random conditions as in training, from another seed, read."""
    rng = np.random.default_rng(_MIXED_SEED)
    specs = [random_plate_spec(rng) for _ in range(plates)]
    shown = [photographed_plate(spec, rng=rng, severity=random_severity(rng)) for spec in specs]
    return read_rendered(reader, specs, shown)


def evaluate_not_plates(
    reader: PlateReader, *, answer_from: float, crops: int = NOT_PLATES
) -> dict[str, Share]:
    """Share of crops without a Vietnamese plate that are answered all the same; 0 is best.

    Args:
        reader: The reader.
        answer_from: Confidence from which a reading is answered.
        crops: Crops of each kind.
    """
    shares = {}
    for number, (name, draw) in enumerate(NOT_PLATE_KINDS.items()):
        rng = np.random.default_rng([_NOT_PLATE_SEED, number])
        shown = [
            photographed(draw(rng), rng=rng, severity=random_severity(rng)).image
            for _ in range(crops)
        ]
        readings = read_all(reader, shown)
        answered = sum(one.confidence >= answer_from for one in readings)
        shares[name] = Share(successes=answered, trials=crops)
    return shares


def photographed_plate(spec: PlateSpec, *, rng: Generator, severity: Severity) -> Photograph:
    """One plate rendered and photographed."""
    plate = render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng)
    return photographed(plate, rng=rng, severity=severity)


def read_rendered(
    reader: PlateReader, specs: Sequence[PlateSpec], shown: Sequence[Photograph]
) -> tuple[ReadCase, ...]:
    """Read rendered plates; every facet is exact."""
    readings = read_all(reader, [one.image for one in shown])
    return tuple(
        ReadCase(
            image=one.image,
            text=spec.text,
            group=str(number),
            facets=rendered_facets(spec) | crop_facets(one.image, one.corners_px),
            reading=reading,
        )
        for number, (spec, one, reading) in enumerate(zip(specs, shown, readings, strict=True))
    )


def rendered_facets(spec: PlateSpec) -> dict[str, str]:
    """Slices of a rendered plate by what it is."""
    return {
        "layout": spec.layout.value,
        "colour": spec.colour.value,
        "vehicle": "motorbike" if spec.is_motorbike else "car",
        "format": spec.format_id,
        "province": province_of(spec.text),
    }


def _exact(cases: Sequence[ReadCase]) -> Share:
    return Share(successes=sum(one.is_right for one in cases), trials=len(cases))
