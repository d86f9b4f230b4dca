# SPDX-License-Identifier: AGPL-3.0-or-later
"""The incident: something on the road, or at a camera, that somebody should look at."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from central.contracts.event import Event
from central.contracts.identifiers import Slug
from central.contracts.message import AwareDatetime, Probability
from central.contracts.passage import MAX_EVIDENCE, BoxV1, EvidenceRefV1


class IncidentKind(StrEnum):
    """What happened."""

    STOPPED_VEHICLE = "stopped_vehicle"
    WRONG_WAY = "wrong_way"
    SLOW_TRAFFIC = "slow_traffic"
    PERSON_ON_ROAD = "person_on_road"
    OBJECT_ON_ROAD = "object_on_road"
    CAMERA_BLIND = "camera_blind"
    CAMERA_MOVED = "camera_moved"


class IncidentPhase(StrEnum):
    """An incident begins once, may be told again while it lasts, and ends once."""

    BEGUN = "begun"
    LASTS = "lasts"
    ENDED = "ended"


class IncidentV1(Event):
    """One telling of an incident; ``captured_at`` is the moment that it tells of.

    Tellings of the same incident share ``incident_id``. They may come in any order: the newest
    ``captured_at`` says how things stand.
    """

    kind: Literal["incident/1"] = "incident/1"
    incident_id: UUID
    incident_kind: IncidentKind
    phase: IncidentPhase
    began_at: AwareDatetime
    camera_id: Slug
    lane: Annotated[int, Field(ge=1, le=64)] | None = None
    confidence: Probability
    box: BoxV1 | None = None
    evidence: Annotated[tuple[EvidenceRefV1, ...], Field(max_length=MAX_EVIDENCE)] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.captured_at < self.began_at:
            raise ValueError("need began_at <= captured_at")
        return self
