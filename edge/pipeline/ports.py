# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pipeline needs of the models and of the evidence stage."""

from collections.abc import Sequence
from typing import Protocol

from edge.stages import EvidencePicture
from models.runtime.values import BgrImage, Detection, PlateReading


class ObjectDetector(Protocol):
    """Finds things of its kind in a picture."""

    def detect(self, image: BgrImage) -> list[Detection]:
        """Things in the picture, surest first; boxes lie inside the picture."""


class TextReader(Protocol):
    """Reads plates."""

    def read(self, crops: Sequence[BgrImage]) -> list[PlateReading]:
        """One reading per crop, in order; an illegible crop gets a low confidence."""


class EvidenceMaker(Protocol):
    """Makes the pictures that prove a passage."""

    def __call__(self, scene: BgrImage, plate: BgrImage | None) -> tuple[EvidencePicture, ...]:
        """Evidence of a scene and, when one was seen, of its plate."""
