# SPDX-License-Identifier: AGPL-3.0-or-later
"""Crops that must be rejected: foreign plates, lettering, signs and parts, photographed."""

from typing import Final

from numpy.random import Generator

from models.datasets.synth.camera import photographed, random_severity
from models.datasets.synth.decoys.foreign import random_foreign_plate
from models.datasets.synth.decoys.objects import OBJECT_MAKERS
from models.runtime.values import BgrImage

_FOREIGN_SHARE: Final = 0.4


def random_not_plate(rng: Generator, *, ground: BgrImage | None = None) -> BgrImage:
    """A crop that a detector may give though it shows no Vietnamese plate.

    Args:
        rng: Decides everything.
        ground: Picture of any size that surrounds the thing; ``None`` draws a bumper.

    Returns:
        A photographed crop; no text on it fits a Vietnamese format.
    """
    thing = clean_not_plate(rng)
    return photographed(thing, rng=rng, severity=random_severity(rng), ground=ground).image


def clean_not_plate(rng: Generator) -> BgrImage:
    """The thing itself, frontal and clear, filling its picture."""
    if rng.random() < _FOREIGN_SHARE:
        return random_foreign_plate(rng)
    draw = float(rng.random())
    for make, share in OBJECT_MAKERS:
        draw -= share
        if draw < 0:
            return make(rng)
    return OBJECT_MAKERS[0][0](rng)
