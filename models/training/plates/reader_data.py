# SPDX-License-Identifier: AGPL-3.0-or-later
"""Batches for the plate reader: plates flattened as production flattens them, with their truth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.splits import Split
from models.runtime.corners import PlateCorners, frame_corners
from models.runtime.reader_input import READER_HEIGHT_PX, READER_WIDTH_PX, flattened_crops
from models.runtime.values import BgrImage, FloatArray
from models.training.plates.plate_views import load_grounds
from models.training.plates.reader_samples import (
    IGNORED,
    RealPlate,
    RenderedPlates,
    Sample,
    illegible_sample,
    not_plate_sample,
    real_sample,
)
from models.training.plates.real_crops import RealCrop, load_real_crops, load_real_scenes

GROUNDS: Final = 1500
_ILLEGIBLE_SHARE: Final = 0.03
_NOT_PLATE_SHARE: Final = 0.06
_FOUND_SHARE: Final = 0.7
_TRUE_SHARE: Final = 0.2
_CORNER_NOISE: Final = 0.03
"""Deviation of true corners that are shaken, as a share of the plate's size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What real pictures a run learns from.

    Attributes:
        plates: Photographed plates with their texts.
        weights: How often each is drawn, shape ``(n,)``, sum 1.
        grounds: Cuts without a plate, which surround rendered ones.
    """

    plates: tuple[RealPlate, ...]
    weights: NDArray[np.float64]
    grounds: tuple[BgrImage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples as arrays: pictures ``(n, h, w, 3)`` uint8, characters ``(n, slots)``."""

    pictures: NDArray[np.uint8]
    characters: NDArray[np.int64]
    layouts: NDArray[np.int64]
    colours: NDArray[np.int64]
    legible: NDArray[np.float32]
    genuine: NDArray[np.float32]


def load_pictures(
    pool: Path,
    *,
    finder: PlateCorners,
    seed: int,
    mined: Mapping[str, float] = MappingProxyType({}),
    reviewed: Sequence[RealCrop] = (),
) -> Pictures:
    """Real pictures of the training split.

    Args:
        pool: Folder of real pictures.
        finder: Finds the plates' corners in the pool's crops.
        seed: Of the cuts.
        mined: How much more often hard crops are drawn, by their path in the pool.
        reviewed: Crops of production that a person has read.
    """
    crops = [*load_real_crops(pool, Split.TRAIN), *reviewed]
    corners = _found_in_chunks(finder, [crop.image for crop in crops])
    plates = [
        RealPlate(
            image=crop.image, corners_px=found, text=crop.text, layout=crop.layout, group=crop.group
        )
        for crop, found in zip(crops, corners, strict=True)
    ]
    boosts = [mined.get(crop.file, 1.0) for crop in crops]
    scenes = load_real_scenes(pool)
    plates += scenes
    return Pictures(
        plates=tuple(plates),
        weights=sampling_weights(plates, boosts=[*boosts, *[1.0] * len(scenes)]),
        grounds=load_grounds(pool, seed=seed, limit=GROUNDS),
    )


def _found_in_chunks(finder: PlateCorners, images: Sequence[BgrImage]) -> list[FloatArray]:
    found: list[FloatArray] = []
    for start in range(0, len(images), 64):
        found.extend(finder.find(images[start : start + 64]))
    return found


def sampling_weights(
    plates: Sequence[RealPlate], *, boosts: Sequence[float]
) -> NDArray[np.float64]:
    """Plates photographed often count less each, hard ones more; the sum is 1.

    Args:
        plates: What is drawn from.
        boosts: Factor of each, above 0.
    """
    seen: dict[str, int] = {}
    for plate in plates:
        seen[plate.group] = seen.get(plate.group, 0) + 1
    raw = np.array(
        [boost * seen[plate.group] ** -0.5 for plate, boost in zip(plates, boosts, strict=True)]
    )
    return np.asarray(raw / raw.sum(), dtype=np.float64)


def stream_batches(
    pictures: Pictures,
    *,
    finder: PlateCorners,
    seed: int,
    first_step: int,
    batch_size: int,
    real_share: float,
) -> Iterator[Batch]:
    """Endless batches; batch ``k`` depends on the seed and on ``k`` only.

    Args:
        pictures: Real pictures of the training split.
        finder: The corner network, through which most samples go.
        seed: Of the whole run.
        first_step: Number of the first batch, for resuming.
        batch_size: Samples per batch.
        real_share: Share of photographed plates, 0 to 1.
    """
    step = first_step
    while True:
        rng = np.random.default_rng((seed, step))
        rendered = RenderedPlates()
        makers = [
            _maker(pictures, rendered, rng=rng, real_share=real_share) for _ in range(batch_size)
        ]
        yield collate([make(rng) for make in makers], finder=finder, rng=rng)
        step += 1


def _maker(
    pictures: Pictures, rendered: RenderedPlates, *, rng: Generator, real_share: float
) -> Callable[[Generator], Sample]:
    draw = rng.random()
    if draw < _ILLEGIBLE_SHARE:
        return lambda generator: illegible_sample(generator, pictures.grounds)
    if draw < _ILLEGIBLE_SHARE + _NOT_PLATE_SHARE:
        return lambda generator: not_plate_sample(generator, pictures.grounds)
    if pictures.plates and rng.random() < real_share:
        plate = pictures.plates[int(rng.choice(len(pictures.plates), p=pictures.weights))]
        return lambda generator: real_sample(plate, generator, pictures.grounds)
    return lambda generator: rendered.sample(generator, pictures.grounds)


def collate(samples: Sequence[Sample], *, finder: PlateCorners, rng: Generator) -> Batch:
    """Samples as one batch, most of them flattened as production would flatten them."""
    images = [sample.image for sample in samples]
    found = finder.find(images)
    corners = [_shown_corners(sample, one, rng) for sample, one in zip(samples, found, strict=True)]
    return Batch(
        pictures=flattened_crops(
            images, corners, height_px=READER_HEIGHT_PX, width_px=READER_WIDTH_PX
        ),
        characters=np.stack([sample.characters for sample in samples]),
        layouts=np.array([sample.layout for sample in samples], np.int64),
        colours=np.array([sample.colour for sample in samples], np.int64),
        legible=np.array([_flag(sample.is_legible) for sample in samples], np.float32),
        genuine=np.array([_flag(sample.is_genuine) for sample in samples], np.float32),
    )


def _flag(known: bool | None) -> float:  # noqa: FBT001 -- a fact, not an option
    return float(IGNORED) if known is None else float(known)


def _shown_corners(sample: Sample, found: FloatArray, rng: Generator) -> FloatArray:
    """Corners found by the network, true ones shaken, or the whole crop."""
    draw = rng.random()
    if draw < _FOUND_SHARE or sample.corners_px is None:
        return found
    if draw < _FOUND_SHARE + _TRUE_SHARE:
        size = np.ptp(sample.corners_px, axis=0)
        shaken = sample.corners_px + rng.normal(0, _CORNER_NOISE, (4, 2)) * size
        return np.asarray(shaken, dtype=np.float32)
    return frame_corners(sample.image)
