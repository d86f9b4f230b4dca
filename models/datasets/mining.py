# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hard-example mining: which crops of the training pool the reader gets wrong or doubts.

Only the training split is looked at: a list made from validation crops would
carry them into training. A crop that is read surely as something else more
probably has a wrong label than a hard picture; it is told apart and not drawn more often.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from models.datasets.manifest import PLATE_CROPS, read_manifest, rows_of
from models.datasets.mined import MAX_WEIGHT, MinedCrop
from models.datasets.pool import PlateCrop, read_plate_crops
from models.datasets.splits import Split
from models.errors import DatasetError, PictureUnreadableError
from models.reading.picture_files import read_picture
from models.runtime.values import BgrImage, PlateReading

HARD_BELOW: Final = 0.98
"""Probability of the true text below which a crop is drawn more often. Higher makes the list
longer and the raise weaker, lower keeps only what is read wrongly."""
SUSPECT_FROM: Final = 0.99
"""Confidence of another text from which the label is doubted rather than the picture."""


class Reader(Protocol):
    """What reads crops; the released reader, or one that is being trained."""

    def read(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        """One reading per crop in the same order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one crop of the training pool showed.

    Attributes:
        file: Path relative to the pool.
        is_right: Whether the text was read as labelled.
        truth_probability: Probability that the reader gave to the labelled text.
        is_suspect: Whether the label should be looked at by a person.
    """

    file: str
    is_right: bool
    truth_probability: float
    is_suspect: bool

    @property
    def mined(self) -> MinedCrop | None:
        """The crop with its weight; ``None`` when it is easy or suspect."""
        if self.is_suspect or self.truth_probability >= HARD_BELOW:
            return None
        return MinedCrop(
            file=self.file, weight=1.0 + (MAX_WEIGHT - 1.0) * (1.0 - self.truth_probability)
        )


def training_crops(pool: Path) -> tuple[PlateCrop, ...]:
    """Crops of the training split with their texts, by file name."""
    files = {row.file for row in rows_of(read_manifest(PLATE_CROPS), Split.TRAIN)}
    return tuple(crop for crop in read_plate_crops(pool) if crop.file in files)


def judge_crops(crops: Sequence[PlateCrop], *, pool: Path, reader: Reader) -> Iterator[Judgement]:
    """Read crops one after the other and say how each went.

    Args:
        crops: What to look at.
        pool: Folder of real pictures.
        reader: Reads them as production does.

    Yields:
        One judgement per crop, in order.

    Raises:
        DatasetError: A picture is missing or damaged.
    """
    for crop in crops:
        try:
            image = read_picture(pool / crop.file).image
        except PictureUnreadableError as error:
            raise DatasetError(f"a crop of the pool: {error.reason}; check the manifest") from error
        (reading,) = reader.read([image])
        yield judged(reading, crop=crop)


def judged(reading: PlateReading, *, crop: PlateCrop) -> Judgement:
    """Compare a reading with the label."""
    is_right = reading.text == crop.text
    probability = reading.confidence if is_right else _probability_beside(reading, crop.text)
    return Judgement(
        file=crop.file,
        is_right=is_right,
        truth_probability=probability,
        is_suspect=not is_right and reading.confidence >= SUSPECT_FROM,
    )


def _probability_beside(reading: PlateReading, text: str) -> float:
    found = (other.confidence for other in reading.alternatives if other.text == text)
    return max(found, default=0.0)
