# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of training crops that a reader finds hard, as weights for the next training.

It names files of the pool and never a plate's text; it lies in ``runs`` and
is no part of the project.
"""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import DatasetError

MINED_COLUMNS: Final = ("file", "weight")
MAX_WEIGHT: Final = 6.0
MAX_ROWS: Final = 500_000
_DECIMALS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedCrop:
    """One crop of the training pool.

    Attributes:
        file: Path relative to the pool, with slashes.
        weight: How often it is to be drawn, in drawings of an easy crop; 1 to
            ``MAX_WEIGHT``.
    """

    file: str
    weight: float

    def __post_init__(self) -> None:
        """Refuse a weight that would starve or flood a training."""
        if not self.file:
            raise ValueError("a mined crop needs a file")
        if not (math.isfinite(self.weight) and 1.0 <= self.weight <= MAX_WEIGHT):
            raise ValueError(f"a weight lies in 1 to {MAX_WEIGHT}, got {self.weight}")


def write_mined_weights(path: Path, crops: Iterable[MinedCrop]) -> int:
    """Write a list, hardest first, in one step: a reader never sees half of it.

    Args:
        path: File to write; its folder is made.
        crops: In any order.

    Returns:
        Number of lines without the first.

    Raises:
        DatasetError: The file may not be written.
    """
    ordered = sorted(crops, key=lambda crop: (-crop.weight, crop.file))
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(MINED_COLUMNS)
            writer.writerows((crop.file, f"{crop.weight:.{_DECIMALS}f}") for crop in ordered)
        part.replace(path)
    except OSError as error:
        reason = error.strerror or "no access"
        raise DatasetError(f"{path} can not be written: {reason.lower()}") from error
    return len(ordered)


def read_mined_weights(path: Path) -> Mapping[str, float]:
    """Weights by file; a crop that is not in the list has weight 1.

    Args:
        path: What ``luuthong-models mine`` wrote.

    Raises:
        DatasetError: The file is absent, or a line is no file and weight, or
            stands there twice.
    """
    weights: dict[str, float] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != MINED_COLUMNS:
                raise DatasetError(f"{path.name} needs the columns {', '.join(MINED_COLUMNS)}")
            for number, row in enumerate(reader, start=2):
                if number > MAX_ROWS:
                    raise DatasetError(f"{path.name} has more than {MAX_ROWS} lines")
                crop = _crop_of(row, place=f"{path.name} line {number}")
                if crop.file in weights:
                    raise DatasetError(f"{path.name} line {number}: the file stands there twice")
                weights[crop.file] = crop.weight
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path.name} can not be read; make it with: mine") from error
    return weights


def _crop_of(row: Mapping[str, str], *, place: str) -> MinedCrop:
    try:
        return MinedCrop(file=row["file"], weight=float(row["weight"]))
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{place}: {error}") from error
