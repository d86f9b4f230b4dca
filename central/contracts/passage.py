# SPDX-License-Identifier: AGPL-3.0-or-later
"""The passage: one vehicle crossing one camera's line once, as the device saw it."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from central.contracts.event import Event
from central.contracts.identifiers import Sha256, Slug
from central.contracts.message import AwareDatetime, Message, Probability

MAX_PLATE_LENGTH = 12
MAX_ALTERNATIVES = 5
MAX_EVIDENCE = 8
MAX_MODELS = 8

PlateText = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,12}$")]
"""Plate without separators, top line first, Đ written D; empty when nothing could be read."""

Pixel = Annotated[float, Field(ge=-10_000, le=100_000, allow_inf_nan=False)]


class Direction(StrEnum):
    """Where the vehicle moved in the picture; the centre knows what that means on the road."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"


class VehicleClass(StrEnum):
    """Vehicle class as seen by the camera; the registry knows the legal one."""

    CAR = "car"
    MOTORCYCLE = "motorcycle"
    BUS = "bus"
    TRUCK = "truck"


class PlateLayout(StrEnum):
    """Number of lines of a plate."""

    ONE_LINE = "one_line"
    TWO_LINE = "two_line"


class PlateColour(StrEnum):
    """Background colour: part of a plate's key, since white and yellow share texts.

    Law 36/2024/QH15 Art. 36.2: blue = state, red = military, yellow = transport business,
    white = others.
    """

    WHITE = "white"
    YELLOW = "yellow"
    BLUE = "blue"
    RED = "red"
    UNKNOWN = "unknown"


class EvidenceKind(StrEnum):
    """What an evidence picture shows."""

    SCENE = "scene"
    PLATE = "plate"


class BoxV1(Message):
    """A box in pixels of the analysed frame: origin top left, x right, y down."""

    x_min: Pixel
    y_min: Pixel
    x_max: Pixel
    y_max: Pixel

    @model_validator(mode="after")
    def _has_positive_size(self) -> Self:
        if self.x_max <= self.x_min or self.y_max <= self.y_min:
            raise ValueError("a box needs x_max > x_min and y_max > y_min")
        return self


class PlateAlternativeV1(Message):
    """Another reading of the same plate."""

    text: PlateText
    confidence: Probability


class PlateReadV1(Message):
    """Reading of one plate, agreed over the frames of one track.

    ``raw_text`` is what the network saw, ``text`` what the plate grammar made of it. A corrected
    reading must never be the only evidence for a fine, so both are kept.
    """

    raw_text: PlateText
    text: PlateText
    char_confidences: Annotated[tuple[Probability, ...], Field(max_length=MAX_PLATE_LENGTH)]
    confidence: Probability
    """Probability that ``text`` is exactly right."""
    is_legal: bool
    alternatives: Annotated[tuple[PlateAlternativeV1, ...], Field(max_length=MAX_ALTERNATIVES)] = ()
    layout: PlateLayout
    colour: PlateColour
    frames_read: Annotated[int, Field(ge=1, le=100_000)]
    box: BoxV1

    @model_validator(mode="after")
    def _has_one_confidence_per_character(self) -> Self:
        if len(self.char_confidences) != len(self.text):
            raise ValueError("one confidence per character of text is needed")
        return self


class EvidenceRefV1(Message):
    """A picture that the device keeps under its hash and uploads on its own."""

    kind: EvidenceKind
    sha256: Sha256
    media_type: Literal["image/jpeg"] = "image/jpeg"
    size_bytes: Annotated[int, Field(ge=1, le=16_777_216)]


class ModelDigestV1(Message):
    """Which weights made this passage."""

    name: Slug
    sha256: Sha256


class PassageV1(Event):
    """One vehicle that crossed one camera's view once."""

    kind: Literal["passage/1"] = "passage/1"
    camera_id: Slug
    lane: Annotated[int, Field(ge=1, le=64)] | None = None
    direction: Direction
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    frame_index: Annotated[int, Field(ge=0, le=2**40)]
    frame_width_px: Annotated[int, Field(ge=1, le=32_768)]
    frame_height_px: Annotated[int, Field(ge=1, le=32_768)]
    vehicle_class: VehicleClass | None = None
    vehicle_confidence: Probability | None = None
    vehicle_box: BoxV1 | None = None
    plate: PlateReadV1 | None = None
    speed_kmh: Annotated[float, Field(ge=0, le=400, allow_inf_nan=False)] | None = None
    speed_uncertainty_kmh: Annotated[float, Field(ge=0, le=400, allow_inf_nan=False)] | None = None
    models: Annotated[tuple[ModelDigestV1, ...], Field(max_length=MAX_MODELS)]
    evidence: Annotated[tuple[EvidenceRefV1, ...], Field(max_length=MAX_EVIDENCE)] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.first_seen_at <= self.captured_at <= self.last_seen_at:
            raise ValueError("need first_seen_at <= captured_at <= last_seen_at")
        if (self.vehicle_class is None) != (self.vehicle_confidence is None):
            raise ValueError("vehicle_class and vehicle_confidence go together")
        if (self.speed_kmh is None) != (self.speed_uncertainty_kmh is None):
            raise ValueError("a speed needs its uncertainty")
        return self
