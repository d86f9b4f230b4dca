# SPDX-License-Identifier: AGPL-3.0-or-later
"""The traffic minute: what one camera counted in one minute, a minute without any included.

Passages tell what was seen; the minute tells that somebody looked. Without it nobody can tell an
empty road from a blind camera.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from central.contracts.event import Event
from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Message
from central.contracts.passage import Direction, VehicleClass

MAX_COUNTS: Final = 32
MINUTE: Final = timedelta(minutes=1)

Frames = Annotated[int, Field(ge=0, le=60_000)]


class VehicleCountV1(Message):
    """How many vehicles of one class crossed the line in one direction.

    A class that the camera could not tell is ``None``.
    """

    direction: Direction
    vehicle_class: VehicleClass | None = None
    vehicles: Annotated[int, Field(ge=1, le=10_000)]
    plates_read: Annotated[int, Field(ge=0, le=10_000)]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.plates_read > self.vehicles:
            raise ValueError("plates_read can't be more than vehicles")
        return self


class TrafficMinuteV1(Event):
    """One minute of one camera; ``captured_at`` is when the minute was over.

    ``frames_analysed`` is 0 for a camera that gave no picture: then no count means nothing.
    """

    kind: Literal["traffic-minute/1"] = "traffic-minute/1"
    camera_id: Slug
    lane: Annotated[int, Field(ge=1, le=64)] | None = None
    minute_at: AwareDatetime
    frames_analysed: Frames
    frames_dropped: Frames
    counts: Annotated[tuple[VehicleCountV1, ...], Field(max_length=MAX_COUNTS)] = ()

    @model_validator(mode="after")
    def _is_one_minute(self) -> Self:
        if self.minute_at.second or self.minute_at.microsecond:
            raise ValueError("minute_at is the beginning of a whole minute")
        if self.captured_at < self.minute_at + MINUTE:
            raise ValueError("a minute is told when it is over")
        kinds = [(each.direction, each.vehicle_class) for each in self.counts]
        if len(set(kinds)) < len(kinds):
            raise ValueError("each direction and class is counted once")
        return self
