# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the reader bears each condition by itself, on renderings whose truth is exact.

Real crops of the pool are mostly frontal and by day; these slices show what
tilt, night, rain, blur and distance cost, and that every background and the
series that the pool lacks are read.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from models.datasets.synth.camera import Severity, photograph
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.evaluation.intervals import Share
from models.runtime.reader import PlateReader

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
PLATES_PER_CONDITION: Final = 200
_SEED: Final = 4711
_PLATE_HEIGHT_PX: Final = 120
_CHUNK: Final = 50


def evaluate_conditions(
    reader: PlateReader, *, plates: int = PLATES_PER_CONDITION
) -> dict[str, Share]:
    """Share of rendered plates read exactly, by condition.

    Args:
        reader: The reader.
        plates: Plates per condition, of formats drawn as in training but from
            another seed.
    """
    return {
        name: _exact(reader, severity, seed=_SEED + number, plates=plates)
        for number, (name, severity) in enumerate(CONDITIONS.items())
    }


def evaluate_formats(reader: PlateReader, *, format_id: str, plates: int) -> Share:
    """Share of clear rendered plates of one format that are read exactly."""
    return _exact(reader, CLEAR, seed=_SEED, plates=plates, format_id=format_id)


def _exact(
    reader: PlateReader, severity: Severity, *, seed: int, plates: int, format_id: str | None = None
) -> Share:
    rng = np.random.default_rng(seed)
    right = 0
    for start in range(0, plates, _CHUNK):
        specs = [
            random_plate_spec(rng, format_id=format_id) for _ in range(min(_CHUNK, plates - start))
        ]
        crops = [
            photograph(
                render_plate(spec, height_px=_PLATE_HEIGHT_PX, rng=rng), rng=rng, severity=severity
            )
            for spec in specs
        ]
        readings = reader.read(crops)
        right += sum(s.text == r.text for s, r in zip(specs, readings, strict=True))
    return Share(successes=right, trials=plates)
