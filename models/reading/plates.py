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
from models.runtime.reader_input import PLATE_MARGIN
from models.runtime.values import Backend, BgrImage, BoxPx, PlateReading

EDGE_SHARE: Final = 0.004
"""Distance from the edge, as a share of the longer side, up to which a box touches it. Higher
takes whole plates near the edge for cut ones."""
MOST_OF_PICTURE: Final = 0.5
"""Share of the picture's width from which a plate is its subject, cut or not."""
FILLED_SHARE: Final = 0.6
"""Share of a crop that a plate fills at most to be cut out and read again. Higher reads plates
twice that the first reading saw as well."""


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
        is_cut: Whether it lies at the picture's edge, so that a part of it may be missing.
    """

    box_px: BoxPx
    detection_confidence: float
    plate: ReadPlate
    is_cut: bool

    @property
    def is_of_use(self) -> bool:
        """Whether it is worth a line: half a plate that nobody can read is not.

        Of 22 plates that were found and not labelled in 244 held-out pictures all
        were neighbours' plates cut by the edge, 21 of them unanswered; no
        labelled plate lay there (detector and reader 0.2.0).
        """
        return self.plate.is_answered or not self.is_cut


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
        read = self._answers([_with_margin(picture.image, plate.box_px) for plate in found])
        return tuple(
            FoundPlate(
                box_px=_as_displayed(detection.box_px, picture),
                detection_confidence=detection.confidence,
                plate=plate,
                is_cut=is_cut(detection.box_px, picture.image),
            )
            for detection, plate in zip(found, read, strict=True)
        )

    def read(self, crops: Sequence[BgrImage]) -> tuple[ReadPlate, ...]:
        """Read pictures of one plate each, in their order.

        A plate that fills only a part of its picture is looked for and read
        again, where the first reading is no answer.
        """
        return tuple(
            plate if plate.is_answered else self._looked_closer(crop, plate)
            for crop, plate in zip(crops, self._answers(crops), strict=True)
        )

    def _looked_closer(self, crop: BgrImage, plate: ReadPlate) -> ReadPlate:
        found = self._finder.find(crop)
        height, width = crop.shape[:2]
        if not found:
            return plate
        box = found[0].box_px
        if box.width * box.height > FILLED_SHARE * width * height:
            return plate
        closer = self._answers([_with_margin(crop, box)])[0]
        return max(plate, closer, key=lambda one: one.reading.confidence)

    def _answers(self, crops: Sequence[BgrImage]) -> tuple[ReadPlate, ...]:
        return tuple(
            ReadPlate(reading=reading, is_answered=reading.confidence >= self._reader.answer_from)
            for reading in self._reader.read(crops)
        )


def _with_margin(image: BgrImage, box_px: BoxPx) -> BgrImage:
    return cropped(image, box_px.padded(PLATE_MARGIN))


def is_cut(box_px: BoxPx, image: BgrImage) -> bool:
    """Whether a box touches the edge of its picture, and is not the most of it.

    Args:
        box_px: Box in pixels of ``image``.
        image: Picture, shape ``(height, width, 3)``.
    """
    height, width = image.shape[:2]
    margin_px = EDGE_SHARE * max(height, width)
    touches = (
        min(box_px.x_min, box_px.y_min) <= margin_px
        or box_px.x_max >= width - margin_px
        or box_px.y_max >= height - margin_px
    )
    return bool(touches and box_px.width < width * MOST_OF_PICTURE)


def _as_displayed(box_px: BoxPx, picture: Picture) -> BoxPx:
    scale = picture.shrunk_by
    return BoxPx(
        x_min=box_px.x_min * scale,
        y_min=box_px.y_min * scale,
        x_max=box_px.x_max * scale,
        y_max=box_px.y_max * scale,
    ).clipped(width=picture.width_px, height=picture.height_px)
