# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a decoded picture to its plates with their texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from models.reading.finding import PlateFinder
from models.reading.picture_files import Picture
from models.runtime.images import cropped
from models.runtime.reader import PlateReader
from models.runtime.values import Backend, BgrImage, BoxPx, PlateReading

ANSWER_FROM: Final = 0.9
"""Confidence from which a reading is an answer; higher answers less and is wrong less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlate:
    """A plate that was read.

    Attributes:
        reading: What it says, with the probability that the text is exactly right.
        is_answered: Whether the reading is sure enough to be used unseen.
    """

    reading: PlateReading
    is_answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlate:
    """A plate in a picture.

    Attributes:
        box_px: Place in pixels of the file's picture as displayed.
        detection_confidence: How sure the detector is that a plate is there.
        plate: What it says.
    """

    box_px: BoxPx
    detection_confidence: float
    plate: ReadPlate


class PictureReader:
    """Finds and reads the plates of pictures; not to be shared between threads."""

    def __init__(self, finder: PlateFinder, reader: PlateReader) -> None:
        self._finder = finder
        self._reader = reader

    @classmethod
    def open(
        cls, *, backend: Backend = Backend.AUTO, threads: int = 1, folder: Path | None = None
    ) -> Self:
        """Load the released detector and reader.

        Args:
            backend: Inference library.
            threads: Threads of one inference.
            folder: Folder with registry and weights; ``None`` is the package's own.

        Raises:
            ModelsError: A file is missing or wrong, or no library runs it.
        """
        return cls(
            PlateFinder.open(backend=backend, threads=threads, folder=folder),
            PlateReader.open(backend=backend, threads=threads, folder=folder),
        )

    @property
    def backend(self) -> Backend:
        """Library that runs the networks, never ``AUTO``."""
        return self._reader.backend

    def plates(self, picture: Picture) -> tuple[FoundPlate, ...]:
        """Every plate of a picture, the surest detection first; empty when it shows none."""
        found = self._finder.find(picture.image)
        read = self.read([cropped(picture.image, plate.box_px) for plate in found])
        return tuple(
            FoundPlate(
                box_px=_as_displayed(detection.box_px, picture),
                detection_confidence=detection.confidence,
                plate=plate,
            )
            for detection, plate in zip(found, read, strict=True)
        )

    def read(self, crops: Sequence[BgrImage]) -> tuple[ReadPlate, ...]:
        """Read pictures of one plate each, in their order."""
        return tuple(
            ReadPlate(reading=reading, is_answered=reading.confidence >= ANSWER_FROM)
            for reading in self._reader.read(crops)
        )


def _as_displayed(box_px: BoxPx, picture: Picture) -> BoxPx:
    scale = picture.shrunk_by
    return BoxPx(
        x_min=box_px.x_min * scale,
        y_min=box_px.y_min * scale,
        x_max=box_px.x_max * scale,
        y_max=box_px.y_max * scale,
    ).clipped(width=picture.width_px, height=picture.height_px)
