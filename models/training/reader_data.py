# SPDX-License-Identifier: AGPL-3.0-or-later
"""Samples for the plate reader: rendered plates, real crops, and things that are no plate."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.datasets.manifest import PLATE_CROPS, ManifestRow, read_manifest, rows_of
from models.datasets.pool import read_plate_crops
from models.datasets.splits import Split
from models.datasets.synth.camera import Severity, degrade, photograph, random_severity
from models.datasets.synth.plates import random_plate_spec, render_plate
from models.errors import DatasetError
from models.runtime.plate_formats import ALPHABET, MAX_PLATE_LENGTH
from models.runtime.reader_input import READER_HEIGHT_PX, READER_WIDTH_PX, prepare_crops
from models.runtime.values import BgrImage, PlateColour, PlateLayout

BLANK: Final = len(ALPHABET)
IGNORED: Final = -100
"""Target without a truth; the loss leaves it out."""
LAYOUTS: Final = (PlateLayout.ONE_LINE, PlateLayout.TWO_LINE)
COLOURS: Final = (PlateColour.WHITE, PlateColour.YELLOW, PlateColour.BLUE, PlateColour.RED)
HELD_OUT_SOURCE: Final = "pbl"
CALIBRATION_SHARE: Final = 2
"""Every second plate of the validation split calibrates; the rest is only measured."""

_INDEX: Final[Mapping[str, int]] = MappingProxyType({c: i for i, c in enumerate(ALPHABET)})
_ONE_LINE_HEIGHT_PX: Final = 96
_TWO_LINE_HEIGHT_PX: Final = 150
_ILLEGIBLE_SHARE: Final = 0.04
_EVEN_ODDS: Final = 0.5
_MILD: Final = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class RealCrop:
    """One photographed plate; ``group`` names its plate without telling its text."""

    image: BgrImage
    text: str
    layout: PlateLayout
    source: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One training picture with its targets; ``IGNORED`` where the truth is unknown."""

    image: BgrImage
    characters: NDArray[np.int64]
    layout: int
    colour: int
    is_legible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Samples as arrays: pictures ``(n, h, w, 3)`` uint8, characters ``(n, slots)``."""

    pictures: NDArray[np.uint8]
    characters: NDArray[np.int64]
    layouts: NDArray[np.int64]
    colours: NDArray[np.int64]
    legible: NDArray[np.float32]


def encode_text(text: str) -> NDArray[np.int64]:
    """Slot classes of a text, filled up with blanks.

    Raises:
        ValueError: If the text has more than ten characters or an unknown one.
    """
    if len(text) > MAX_PLATE_LENGTH or not set(text) <= set(ALPHABET):
        raise ValueError("a plate has at most ten characters, A to Z and 0 to 9")
    codes = [_INDEX[character] for character in text]
    return np.array(codes + [BLANK] * (MAX_PLATE_LENGTH - len(text)), np.int64)


def load_real_crops(pool: Path, split: Split) -> tuple[RealCrop, ...]:
    """Real crops of one use, without the source that is held out.

    Args:
        pool: Folder of real pictures.
        split: ``HOLD_OUT`` gives the source that no training sees; its plates
            that training does see elsewhere are left out.
    """
    rows = read_manifest(PLATE_CROPS)
    if split is not Split.HOLD_OUT:
        wanted = [row for row in rows_of(rows, split) if _source(row) != HELD_OUT_SOURCE]
    else:
        trained = {row.group for row in rows if row.split is Split.TRAIN}
        trained = {row.group for row in rows if row.group in trained and _source(row) == "xla"}
        wanted = [r for r in rows if _source(r) == HELD_OUT_SOURCE and r.group not in trained]
    return _load(pool, wanted)


def _source(row: ManifestRow) -> str:
    return Path(row.file).name.split("_")[0]


def _load(pool: Path, rows: Sequence[ManifestRow]) -> tuple[RealCrop, ...]:
    texts = {crop.file: crop.text for crop in read_plate_crops(pool)}
    crops = []
    for row in rows:
        image = _read_picture(pool / row.file)
        name = Path(row.file).stem
        is_long = "CarLongPlate" in name or name.startswith("pbl") or _is_wide(image)
        crops.append(
            RealCrop(
                image=image,
                text=texts[row.file],
                layout=PlateLayout.ONE_LINE if is_long else PlateLayout.TWO_LINE,
                source="gate-car" if "CarLongPlate" in name else _family(name),
                group=row.group,
            )
        )
    return tuple(crops)


def _read_picture(path: Path) -> BgrImage:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError("a plate crop is missing or can not be decoded; check the manifest")
    return np.asarray(image, dtype=np.uint8)


def _is_wide(image: BgrImage) -> bool:
    """Two-line crops are at most 1.9 times as wide as high, one-line ones at least 2.6 times."""
    return bool(image.shape[1] > 2.2 * image.shape[0])


def _family(name: str) -> str:
    if name.startswith("pbl"):
        return "pbl"
    return "gate-motorbike" if "xemay" in name else "other"


def rendered_sample(rng: Generator) -> Sample:
    """A plate of a random legal format under random conditions."""
    spec = random_plate_spec(rng)
    is_long = spec.layout is PlateLayout.ONE_LINE
    height = _ONE_LINE_HEIGHT_PX if is_long else _TWO_LINE_HEIGHT_PX
    plate = render_plate(spec, height_px=height, rng=rng)
    return Sample(
        image=photograph(plate, rng=rng, severity=random_severity(rng)),
        characters=encode_text(spec.text),
        layout=LAYOUTS.index(spec.layout),
        colour=COLOURS.index(spec.colour),
        is_legible=True,
    )


def illegible_sample(rng: Generator) -> Sample:
    """A box that a detector may give by mistake, or a plate that nobody could read."""
    if rng.random() < _EVEN_ODDS:
        size = (int(rng.integers(3, 12)), int(rng.integers(3, 24)), 3)
        coarse = rng.integers(0, 256, size).astype(np.uint8)
        image = np.asarray(cv2.resize(coarse, (120, 60), interpolation=cv2.INTER_LINEAR), np.uint8)
    else:
        image = rendered_sample(rng).image
        small = cv2.resize(image, (int(rng.integers(5, 13)), int(rng.integers(4, 8))))
        image = np.asarray(cv2.resize(small, (120, 60)), dtype=np.uint8)
    return Sample(
        image=degrade(image, rng=rng, severity=random_severity(rng)),
        characters=np.full(MAX_PLATE_LENGTH, IGNORED, np.int64),
        layout=IGNORED,
        colour=IGNORED,
        is_legible=False,
    )


def varied_real_sample(crop: RealCrop, rng: Generator) -> Sample:
    """A real crop, tilted, shifted and degraded again, most times mildly."""
    values = rng.random(7) * _MILD * (rng.random() if rng.random() < _EVEN_ODDS else 1.6)
    severity = Severity(
        viewpoint=values[0] * 0.8, blur=values[1] * 0.7, noise=values[2], light=values[3],
        weather=values[4] * 0.4, compression=values[5], jitter=values[6] * 0.5,
    )  # fmt: skip
    image = photograph(crop.image, rng=rng, severity=severity)
    return Sample(
        image=image,
        characters=encode_text(crop.text),
        layout=LAYOUTS.index(crop.layout),
        colour=IGNORED,
        is_legible=True,
    )


def stream_batches(
    crops: Sequence[RealCrop], *, seed: int, first_step: int, batch_size: int, real_share: float
) -> Iterator[Batch]:
    """Endless batches; batch ``k`` depends on the seed and on ``k`` only.

    Args:
        crops: Real crops of the training split.
        seed: Of the whole run.
        first_step: Number of the first batch, for resuming.
        batch_size: Samples per batch.
        real_share: Share of real crops, 0 to 1.
    """
    weights = _sampling_weights(crops)
    step = first_step
    while True:
        rng = np.random.default_rng((seed, step))
        makers = [_maker(crops, weights, rng, real_share) for _ in range(batch_size)]
        yield collate([make(rng) for make in makers])
        step += 1


def _sampling_weights(crops: Sequence[RealCrop]) -> NDArray[np.float64]:
    """Plates photographed often count less each; one-line and old formats count more."""
    seen: dict[str, int] = {}
    for crop in crops:
        seen[crop.group] = seen.get(crop.group, 0) + 1
    raw = np.array([seen[crop.group] ** -0.5 for crop in crops])
    return np.asarray(raw / raw.sum(), dtype=np.float64)


def _maker(
    crops: Sequence[RealCrop], weights: NDArray[np.float64], rng: Generator, real_share: float
) -> Callable[[Generator], Sample]:
    draw = rng.random()
    if draw < _ILLEGIBLE_SHARE:
        return illegible_sample
    if draw < _ILLEGIBLE_SHARE + real_share * (1 - _ILLEGIBLE_SHARE):
        crop = crops[int(rng.choice(len(crops), p=weights))]
        return lambda generator: varied_real_sample(crop, generator)
    return rendered_sample


def collate(samples: Sequence[Sample]) -> Batch:
    """Samples as one batch, through the preprocessing of production."""
    return Batch(
        pictures=prepare_crops(
            [sample.image for sample in samples],
            height_px=READER_HEIGHT_PX,
            width_px=READER_WIDTH_PX,
        ),
        characters=np.stack([sample.characters for sample in samples]),
        layouts=np.array([sample.layout for sample in samples], np.int64),
        colours=np.array([sample.colour for sample in samples], np.int64),
        legible=np.array([sample.is_legible for sample in samples], np.float32),
    )
