# SPDX-License-Identifier: AGPL-3.0-or-later
"""Samples for the corner network: rendered plates on real ground, and tilted real scenes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.synth.camera import photographed, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.runtime.corners import CORNERS_HEIGHT_PX, CORNERS_WIDTH_PX, stretched
from models.runtime.values import BgrImage, PlateLayout
from models.training.plates.plate_views import PlateScenePicture, View, any_ground, reprojected

ONE_LINE_HEIGHT_PX: Final = 80
TWO_LINE_HEIGHT_PX: Final = 130
_REAL_WEIGHT: Final = 0.4
"""A real plate's box is not quite its corners, so it teaches less than a rendering."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CornerBatch:
    """Pictures ``(n, 48, 96, 3)`` uint8, corners ``(n, 8)`` as shares, weights ``(n,)``."""

    pictures: NDArray[np.uint8]
    corners: NDArray[np.float32]
    weights: NDArray[np.float32]


def rendered_view(rng: Generator, grounds: Sequence[BgrImage]) -> View:
    """A rendered plate of a random legal format with real surroundings."""
    spec = random_plate_spec(rng)
    is_long = spec.layout is PlateLayout.ONE_LINE
    height_px = ONE_LINE_HEIGHT_PX if is_long else TWO_LINE_HEIGHT_PX
    shot = photographed(
        render_plate(spec, height_px=height_px, rng=rng),
        rng=rng,
        severity=random_severity(rng),
        ground=any_ground(grounds, rng),
    )
    return View(image=shot.image, corners_px=shot.corners_px)


def stream_corner_batches(
    scenes: Sequence[PlateScenePicture],
    grounds: Sequence[BgrImage],
    *,
    seed: int,
    first_step: int,
    batch_size: int,
    real_share: float,
) -> Iterator[CornerBatch]:
    """Endless batches; batch ``k`` depends on the seed and on ``k`` only."""
    step = first_step
    while True:
        rng = np.random.default_rng((seed, step))
        yield _batch(scenes, grounds, rng=rng, batch_size=batch_size, real_share=real_share)
        step += 1


def _batch(
    scenes: Sequence[PlateScenePicture],
    grounds: Sequence[BgrImage],
    *,
    rng: Generator,
    batch_size: int,
    real_share: float,
) -> CornerBatch:
    views, weights = [], []
    for _ in range(batch_size):
        is_real = bool(scenes) and rng.random() < real_share
        if is_real:
            scene = scenes[int(rng.integers(len(scenes)))]
            severity = random_severity(rng)
            views.append(reprojected(scene.image, scene.corners_px, rng=rng, severity=severity))
        else:
            views.append(rendered_view(rng, grounds))
        weights.append(_REAL_WEIGHT if is_real else 1.0)
    images = [view.image for view in views]
    corners = [view.corners_px / np.array(view.image.shape[1::-1]) for view in views]
    return CornerBatch(
        pictures=stretched(images, height_px=CORNERS_HEIGHT_PX, width_px=CORNERS_WIDTH_PX),
        corners=np.stack(corners).reshape(-1, 8).astype(np.float32),
        weights=np.array(weights, np.float32),
    )
