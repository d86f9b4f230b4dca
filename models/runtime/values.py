# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values that the models hand to their callers.

They know neither the inference library nor the network: the edge, the
evaluation and the tests speak of boxes and readings in these types only.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

BgrImage = NDArray[np.uint8]
"""A picture, shape ``(height, width, 3)``, blue, green, red, 0 to 255."""

FloatArray = NDArray[np.float32]
"""Numbers of a network; the shape stands in the docstring of whoever makes it."""


class VehicleClass(StrEnum):
    """What the vehicle detector tells apart."""

    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BUS = "bus"
    TRUCK = "truck"


class PlateLayout(StrEnum):
    """How many lines of characters a plate has."""

    ONE_LINE = "one_line"
    TWO_LINE = "two_line"


class PlateColour(StrEnum):
    """Background of a plate, which is part of a vehicle's key."""

    WHITE = "white"
    YELLOW = "yellow"
    BLUE = "blue"
    RED = "red"
    UNKNOWN = "unknown"


class Backend(StrEnum):
    """Inference library; ``AUTO`` takes OpenVINO and falls back on ONNX Runtime."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPx:
    """An upright rectangle in pixels of its picture, corners not rounded."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def __post_init__(self) -> None:
        """Refuse a box whose corners are in the wrong order or not finite."""
        corners = (self.x_min, self.y_min, self.x_max, self.y_max)
        if not all(np.isfinite(corners)):
            raise ValueError(f"a box needs finite corners, got {corners}")
        if self.x_max < self.x_min or self.y_max < self.y_min:
            raise ValueError(f"a box's corners are in the wrong order: {corners}")

    @property
    def width(self) -> float:
        """Horizontal extent in pixels."""
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        """Vertical extent in pixels."""
        return self.y_max - self.y_min

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box as ``x, y`` in pixels."""
        return (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2

    def clipped(self, *, width: float, height: float) -> Self:
        """The part of the box inside a picture.

        Args:
            width: Picture's width in pixels.
            height: Picture's height in pixels.

        Returns:
            A box inside ``0..width`` and ``0..height``; empty on the border
            when the two do not meet.
        """
        return type(self)(
            x_min=min(max(self.x_min, 0.0), width),
            y_min=min(max(self.y_min, 0.0), height),
            x_max=min(max(self.x_max, 0.0), width),
            y_max=min(max(self.y_max, 0.0), height),
        )

    def padded(self, fraction: float) -> Self:
        """The box grown on every side by a fraction of its own size.

        Args:
            fraction: Share of width and height added on each side; negative
                shrinks, and is refused where nothing would be left.
        """
        return type(self)(
            x_min=self.x_min - fraction * self.width,
            y_min=self.y_min - fraction * self.height,
            x_max=self.x_max + fraction * self.width,
            y_max=self.y_max + fraction * self.height,
        )


def overlap(first: BoxPx, second: BoxPx) -> float:
    """Intersection over union of two boxes, 0 to 1; 0 where both are empty."""
    width = min(first.x_max, second.x_max) - max(first.x_min, second.x_min)
    height = min(first.y_max, second.y_max) - max(first.y_min, second.y_min)
    shared = max(0.0, width) * max(0.0, height)
    union = first.width * first.height + second.width * second.height - shared
    return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One thing that a detector found in one picture."""

    label: str
    confidence: float
    box_px: BoxPx

    def __post_init__(self) -> None:
        """Refuse a confidence outside 0 to 1."""
        require_probability(self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateAlternative:
    """Another text that a plate may bear."""

    text: str
    confidence: float

    def __post_init__(self) -> None:
        """Refuse a confidence outside 0 to 1."""
        require_probability(self.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReading:
    """What the reader saw on one crop, or several crops of one track fused.

    Attributes:
        raw_text: Most probable text before the grammar.
        text: Most probable legal text; the raw text when nothing legal fits.
        char_confidences: One probability per character of ``text``.
        confidence: Probability that ``text`` is exactly right.
        alternatives: Other texts, best first, without ``text`` itself.
        layout: Number of lines.
        colour: Background.
        is_legal: Whether ``text`` fits a legal format.
        slot_probabilities: Shape ``(slots, alphabet + 1)``, rows sum to 1;
            kept for fusing frames.
        genuineness: Probability that the picture shows a Vietnamese plate and
            not lettering or a foreign one.
    """

    raw_text: str
    text: str
    char_confidences: tuple[float, ...]
    confidence: float
    alternatives: tuple[PlateAlternative, ...]
    layout: PlateLayout
    colour: PlateColour
    is_legal: bool
    slot_probabilities: FloatArray = field(compare=False, repr=False)
    genuineness: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a reading that contradicts itself."""
        require_probability(self.genuineness)
        if len(self.text) != len(self.char_confidences):
            raise ValueError("one confidence per character is needed")
        require_probability(self.confidence)
        for confidence in self.char_confidences:
            require_probability(confidence)
        if self.slot_probabilities.ndim != 2:  # noqa: PLR2004 -- slots by alphabet
            raise ValueError("slot probabilities need two dimensions")


def require_probability(value: float) -> None:
    """Raise ``ValueError`` for a number outside 0 to 1, NaN included."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a confidence lies in 0 to 1, got {value}")
