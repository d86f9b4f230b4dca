# SPDX-License-Identifier: AGPL-3.0-or-later
"""How well plates are read: exact texts, characters, and whether stated probabilities come true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.datasets.splits import Split
from models.evaluation.intervals import Share
from models.runtime.reader import PlateReader
from models.runtime.values import PlateReading
from models.training.real_crops import RealCrop, load_real_crops

SURE_FROM: Final = 0.9
"""Confidence from which a reading counts as sure in the report."""
_CHUNK: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingScore:
    """Figures of one slice of the crops.

    Attributes:
        slice_name: ``all``, a layout or a source.
        pictures: Number of crops.
        exact: Plates whose corrected text is right in every character.
        exact_raw: The same for the text before the grammar.
        characters: Characters right after alignment: 1 minus the character error rate.
        sure: Plates read with at least ``SURE_FROM``.
        sure_exact: Of these, the plates that are exactly right.
    """

    slice_name: str
    pictures: int
    exact: Share
    exact_raw: Share
    characters: Share
    sure: Share
    sure_exact: Share

    @property
    def shares(self) -> Mapping[str, Share]:
        """The figures by name, in the order of the report."""
        return {
            "exact": self.exact,
            "exact_raw": self.exact_raw,
            "characters": self.characters,
            "sure": self.sure,
            "sure_exact": self.sure_exact,
        }


def evaluate_reader(reader: PlateReader, *, pool: Path, split: Split) -> tuple[ReadingScore, ...]:
    """Read every real crop of a split.

    Args:
        reader: The reader.
        pool: Folder of real pictures.
        split: ``HOLD_OUT`` is the source that no training saw.

    Returns:
        The score of all crops, then one per layout, then one per source;
        empty when the split has no crops.

    Raises:
        DatasetError: If a crop is missing or can not be decoded.
    """
    crops = load_real_crops(pool, split)
    readings: list[PlateReading] = []
    for start in range(0, len(crops), _CHUNK):
        readings += reader.read([crop.image for crop in crops[start : start + _CHUNK]])
    pairs = list(zip(crops, readings, strict=True))
    return tuple(_score(name, part) for name, part in _slices(pairs) if part)


def _slices(
    pairs: Sequence[tuple[RealCrop, PlateReading]],
) -> Iterable[tuple[str, list[tuple[RealCrop, PlateReading]]]]:
    yield "all", list(pairs)
    for layout in sorted({crop.layout for crop, _ in pairs}):
        yield layout.value, [pair for pair in pairs if pair[0].layout is layout]
    for source in sorted({crop.source for crop, _ in pairs}):
        yield f"source {source}", [pair for pair in pairs if pair[0].source == source]


def _score(name: str, pairs: Sequence[tuple[RealCrop, PlateReading]]) -> ReadingScore:
    trials = len(pairs)
    sure = [(crop, reading) for crop, reading in pairs if reading.confidence >= SURE_FROM]
    characters = sum(len(crop.text) for crop, _ in pairs)
    errors = sum(edit_distance(crop.text, reading.text) for crop, reading in pairs)
    return ReadingScore(
        slice_name=name,
        pictures=trials,
        exact=Share(successes=sum(c.text == r.text for c, r in pairs), trials=trials),
        exact_raw=Share(successes=sum(c.text == r.raw_text for c, r in pairs), trials=trials),
        characters=Share(successes=max(0, characters - errors), trials=characters),
        sure=Share(successes=len(sure), trials=trials),
        sure_exact=Share(successes=sum(c.text == r.text for c, r in sure), trials=len(sure)),
    )


def edit_distance(left: str, right: str) -> int:
    """Fewest insertions, deletions and replacements from one text to the other."""
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        current = [row]
        for column, b in enumerate(right, start=1):
            swap = previous[column - 1] + (a != b)
            current.append(min(swap, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]
