# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding plates in pictures of any size, a telephone's twelve megapixels too.

The plate detector looks at a picture shrunk to its input. In a large picture a
plate of a hundred pixels is then sixteen wide, and is missed. So a picture
that is much larger is looked at again with a larger input, but only when the
first look found nothing, or only small plates, beside which more may be.

Measured with mosaics of plates that training never saw, 4000 x 3000 pixels,
plate detector 0.2.0: of 129 plates 109 px wide the first look finds 44 %, all
looks 98 %; of 288 plates 72 px wide 10 % and 99 %; false ones stay below 2 in
100 plates. Tried with 0.1.0 and left: looking into the boxes of vehicles (70 % of 128
plates of 110 px at twice the time), and overlapping tiles (all of them, with four
times the false ones).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from models.runtime.detector import MAX_INPUT_PX, Detector, DetectorConfig
from models.runtime.registry import PLATE_DETECTOR, load_model
from models.runtime.sessions import open_session
from models.runtime.values import Backend, BgrImage, Detection, overlap

LARGER_BY: Final = (2, 3)
"""Inputs of further looks, as multiples of the first; each costs the square of it in time."""
MUCH_LARGER: Final = 1.5
"""A picture is looked at again when it is longer than an input by that. Lower looks at more
pictures twice, higher misses small plates in pictures of middle size."""
LARGE_PLATE_PX: Final = 64.0
"""Width in the first look from which a plate is the picture's subject, and no further look is
taken. Higher finds more plates in the background and takes more time."""
SAME_PLATE_OVERLAP: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One detector and the input that it shrinks a picture to."""

    detector: Detector
    input_px: int

    def shrinks(self, image: BgrImage) -> bool:
        """Whether much is lost of this picture."""
        height, width = image.shape[:2]
        return bool(max(height, width) > self.input_px * MUCH_LARGER)


class PlateFinder:
    """Finds plates in whole pictures; not to be shared between threads."""

    def __init__(self, looks: tuple[_Look, ...]) -> None:
        self._looks = looks

    @classmethod
    def open(
        cls, *, backend: Backend = Backend.AUTO, threads: int = 1, folder: Path | None = None
    ) -> Self:
        """Load the released plate detector.

        Args:
            backend: Inference library.
            threads: Threads of one inference.
            folder: Folder with registry and weights; ``None`` is the package's own.

        Raises:
            ModelsError: The file is missing or wrong, or no library runs it.
        """
        model = load_model(PLATE_DETECTOR, folder=folder)
        released = DetectorConfig.from_registry(model.config)
        session = open_session(model.path, backend=backend, threads=threads)
        configs = [
            replace(released, input_px=released.input_px * factor)
            for factor in (1, *LARGER_BY)
            if released.input_px * factor <= MAX_INPUT_PX
        ]
        return cls(
            tuple(
                _Look(
                    detector=Detector(session, config=config, digest=model.sha256),
                    input_px=config.input_px,
                )
                for config in configs
            )
        )

    def find(self, image: BgrImage) -> tuple[Detection, ...]:
        """Plates of one picture, surest first; boxes in its pixels.

        Args:
            image: Picture of any size, shape ``(height, width, 3)``.

        Raises:
            InvalidImageError: The array is no picture.
        """
        first, *further = self._looks
        found = first.detector.detect(image)
        previous = first
        for look in further:
            if not previous.shrinks(image) or _is_enough(found, image=image, look=previous):
                break
            found = _merged(look.detector.detect(image), found)
            previous = look
        return tuple(sorted(found, key=lambda plate: -plate.confidence))


def _is_enough(found: list[Detection], *, image: BgrImage, look: _Look) -> bool:
    """Whether no further look is worth its time: a plate is large enough here."""
    scale = look.input_px / max(image.shape[:2])
    return any(plate.box_px.width * scale >= LARGE_PLATE_PX for plate in found)


def _merged(finer: list[Detection], coarser: list[Detection]) -> list[Detection]:
    """Plates of both looks; of one that both found the finer box."""
    alone = [
        plate
        for plate in coarser
        if all(overlap(plate.box_px, other.box_px) < SAME_PLATE_OVERLAP for other in finer)
    ]
    return finer + alone
