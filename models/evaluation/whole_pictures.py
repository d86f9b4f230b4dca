# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the whole picture to the text: detector and reader together, as a device runs them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.datasets.manifest import PLATE_SCENES, ManifestRow, read_manifest, rows_of
from models.datasets.pool import read_plate_scenes
from models.datasets.splits import Split
from models.evaluation.detection import ALL_SLICES, read_picture
from models.evaluation.figures.intervals import Share
from models.evaluation.picture_qualities import NIGHT_BELOW, mean_luminance
from models.runtime.detector import Detector
from models.runtime.images import cropped
from models.runtime.reader import PlateReader
from models.runtime.values import PlateReading

_VEHICLES: Final[Mapping[str, str]] = {"gpc": "car", "gpm": "motorbike"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRead:
    """One picture of one vehicle.

    Attributes:
        texts: What its plate says; several where the pool has two opinions.
        reading: Of the surest plate; ``None`` where none was found.
        facets: What slices it belongs to.
    """

    texts: frozenset[str]
    reading: PlateReading | None
    facets: Mapping[str, str]

    @property
    def is_right(self) -> bool:
        """Whether the plate was found and read exactly."""
        return self.reading is not None and self.reading.text in self.texts

    def is_answered(self, answer_from: float) -> bool:
        """Whether a text is given."""
        return self.reading is not None and self.reading.confidence >= answer_from


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeScore:
    """Figures of one slice of the pictures."""

    slice_name: str
    pictures: int
    exact: Share
    answered: Share
    answered_wrong: Share

    @property
    def shares(self) -> Mapping[str, Share]:
        """The shares by name, in the order of the report."""
        return {
            "exact": self.exact,
            "answered": self.answered,
            "answered_wrong": self.answered_wrong,
        }


def read_whole_pictures(
    detector: Detector, reader: PlateReader, *, pool: Path
) -> tuple[PictureRead, ...]:
    """Find and read the plates of the validation split's gate pictures.

    Args:
        detector: Plate detector at its released threshold.
        reader: The reader.
        pool: Folder of real pictures.

    Raises:
        DatasetError: A picture is missing.
    """
    rows = rows_of(read_manifest(PLATE_SCENES), Split.VALIDATION)
    return tuple(_read(detector, reader, pool=pool, rows=rows))


def whole_scores(read: Sequence[PictureRead], *, answer_from: float) -> tuple[WholeScore, ...]:
    """Everything first, then by vehicle and light; empty without pictures."""
    names = sorted({f"{key} {value}" for one in read for key, value in one.facets.items()})
    parts = [(ALL_SLICES, list(read))]
    for name in names:
        key, value = name.split(" ", 1)
        parts.append((name, [one for one in read if one.facets.get(key) == value]))
    return tuple(_score(name, part, answer_from) for name, part in parts if part)


def _read(
    detector: Detector, reader: PlateReader, *, pool: Path, rows: Sequence[ManifestRow]
) -> Iterator[PictureRead]:
    scenes = {scene.file: scene for scene in read_plate_scenes(pool)}
    for row in rows:
        scene = scenes[row.file]
        if not scene.plate_texts:
            continue
        image = read_picture(pool / row.file)
        found = detector.detect(image)
        facets = {"light": "night" if mean_luminance(image) < NIGHT_BELOW else "day"}
        if scene.source in _VEHICLES:
            facets["vehicle"] = _VEHICLES[scene.source]
        yield PictureRead(
            texts=scene.plate_texts,
            reading=reader.read([cropped(image, found[0].box_px)])[0] if found else None,
            facets=facets,
        )


def _score(name: str, read: Sequence[PictureRead], answer_from: float) -> WholeScore:
    answered = [one for one in read if one.is_answered(answer_from)]
    return WholeScore(
        slice_name=name,
        pictures=len(read),
        exact=Share(successes=sum(one.is_right for one in read), trials=len(read)),
        answered=Share(successes=len(answered), trials=len(read)),
        answered_wrong=Share(
            successes=sum(not one.is_right for one in answered), trials=len(answered)
        ),
    )
