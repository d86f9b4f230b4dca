# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``/v1`` answers with, apart from the values inside."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.deps.cursors import cursor_text
from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceFate
from central.contracts.identifiers import Sha256, Slug
from central.contracts.message import Probability
from central.contracts.passage import (
    Direction,
    EvidenceKind,
    PlateColour,
    PlateLayout,
    VehicleClass,
)
from central.db.replica import Answerer
from central.identity.permissions import Role
from central.identity.types import User
from central.passages.alike import AlikePlates
from central.passages.types import (
    BoxPx,
    EvidenceLink,
    Passage,
    PassagePage,
    PassageSummary,
    PlateReading,
)

EXAMPLE_ID = "01930b1e-7c00-7000-8000-000000000001"
EXAMPLE_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class StrictBody(BaseModel):
    """Base of every body: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SessionBody(StrictBody):
    """The session that was opened; its secret travels in the cookie only."""

    username: str
    display_name: str
    role: Role
    expires_at: AwareDatetime

    @classmethod
    def of(cls, user: User, *, expires_at: AwareDatetime) -> Self:
        """Describe a session."""
        return cls(
            username=user.username,
            display_name=user.display_name,
            role=user.role,
            expires_at=expires_at,
        )


class EvidenceBody(StrictBody):
    """A picture that a passage names."""

    kind: EvidenceKind
    sha256: Sha256
    url: str | None = Field(description="Where it is; null while it has not arrived or is erased.")
    fate: EvidenceFate | None = Field(
        default=None, description="Why it will not come; null when it came or is still expected."
    )

    @classmethod
    def of(cls, link: EvidenceLink) -> Self:
        """Describe a picture."""
        url = f"/v1/evidence/{link.sha256}" if link.is_stored else None
        return cls(kind=link.kind, sha256=link.sha256, url=url, fate=link.fate)


class PassageSummaryBody(StrictBody):
    """A passage as a row of a table."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "captured_at": "2026-11-22T03:04:05.678Z",
                    "stored_at": "2026-11-22T03:04:06.012Z",
                    "site_id": "cau-gia-bay",
                    "site_name": "Cầu Gia Bẩy",
                    "camera_id": "cam-1",
                    "camera_name": "Làn vào",
                    "lane": 1,
                    "direction": "down",
                    "vehicle_class": "car",
                    "vehicle_confidence": 0.93,
                    "plate_text": "20A12345",
                    "plate_confidence": 0.991,
                    "plate_is_legal": True,
                    "plate_layout": "one_line",
                    "plate_colour": "white",
                    "speed_kmh": None,
                    "is_late": False,
                    "evidence": [
                        {
                            "kind": "plate",
                            "sha256": EXAMPLE_SHA256,
                            "url": f"/v1/evidence/{EXAMPLE_SHA256}",
                        }
                    ],
                }
            ]
        }
    )

    id: UUID
    captured_at: AwareDatetime
    stored_at: AwareDatetime
    site_id: Slug
    site_name: str
    camera_id: Slug
    camera_name: str
    lane: int | None
    direction: Direction
    vehicle_class: VehicleClass | None
    vehicle_confidence: Probability | None
    plate_text: str = Field(description="Without separators; empty when none was seen or read.")
    plate_confidence: Probability | None = Field(
        description="Probability that plate_text is exactly right."
    )
    plate_is_legal: bool | None
    plate_layout: PlateLayout | None
    plate_colour: PlateColour | None
    speed_kmh: float | None
    is_late: bool = Field(description="Sent from the outbox after the link was down.")
    evidence: tuple[EvidenceBody, ...]

    @classmethod
    def of(cls, summary: PassageSummary) -> Self:
        """Describe a passage."""
        return cls(
            id=summary.id,
            captured_at=summary.captured_at,
            stored_at=summary.stored_at,
            site_id=summary.site_id,
            site_name=summary.site_name,
            camera_id=summary.camera_id,
            camera_name=summary.camera_name,
            lane=summary.lane,
            direction=summary.direction,
            vehicle_class=summary.vehicle_class,
            vehicle_confidence=summary.vehicle_confidence,
            plate_text=summary.plate_text,
            plate_confidence=summary.plate_confidence,
            plate_is_legal=summary.plate_is_legal,
            plate_layout=summary.plate_layout,
            plate_colour=summary.plate_colour,
            speed_kmh=summary.speed_kmh,
            is_late=summary.is_late,
            evidence=tuple(EvidenceBody.of(link) for link in summary.evidence),
        )


class AlikePlateBody(StrictBody):
    """A plate that may be the one sought."""

    plate_text: str
    passages: Annotated[int, Field(ge=1, description="How often it was read in that time.")]
    first_captured_at: AwareDatetime
    last: Annotated[PassageSummaryBody, Field(description="Its newest passage.")]
    distance: Annotated[
        float,
        Field(ge=0, description="0 when it fits; 0.3 more for every character that looks alike."),
    ]


class AlikePlatesFoundBody(StrictBody):
    """Plates that may be the one sought, the likeliest first."""

    plates: tuple[AlikePlateBody, ...]
    is_cut: Annotated[bool, Field(description="Whether there are more than are told.")]

    @classmethod
    def of(cls, found: AlikePlates) -> Self:
        """Describe what was found."""
        return cls(
            plates=tuple(
                AlikePlateBody(
                    plate_text=each.text,
                    passages=each.passages,
                    first_captured_at=each.first_at,
                    last=PassageSummaryBody.of(each.last),
                    distance=each.distance,
                )
                for each in found.plates
            ),
            is_cut=found.is_cut,
        )


class PassagePageBody(StrictBody):
    """One page of passages, newest first."""

    passages: tuple[PassageSummaryBody, ...]
    next_cursor: str | None = Field(
        description="Cursor of the page with older ones; null at the end."
    )

    @classmethod
    def of(cls, page: PassagePage) -> Self:
        """Describe a page."""
        return cls(
            passages=tuple(PassageSummaryBody.of(summary) for summary in page.passages),
            next_cursor=cursor_text(page.next) if page.next is not None else None,
        )


class BoxBody(StrictBody):
    """A box in pixels of the analysed frame: origin top left, x right, y down."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    @classmethod
    def of(cls, box: BoxPx) -> Self:
        """Describe a box."""
        return cls(x_min=box.x_min, y_min=box.y_min, x_max=box.x_max, y_max=box.y_max)


class AlternativeBody(StrictBody):
    """Another reading of the same plate."""

    text: str
    confidence: Probability


class PlateReadingBody(StrictBody):
    """Everything that is known about a plate's reading."""

    text: str = Field(description="What the plate grammar made of raw_text.")
    raw_text: str = Field(description="What the network saw; a fine needs more than a correction.")
    confidence: Probability
    char_confidences: tuple[Probability, ...] = Field(description="One per character of text.")
    is_legal: bool
    alternatives: tuple[AlternativeBody, ...]
    layout: PlateLayout
    colour: PlateColour
    frames_read: int
    box_px: BoxBody

    @classmethod
    def of(cls, plate: PlateReading) -> Self:
        """Describe a reading."""
        return cls(
            text=plate.text,
            raw_text=plate.raw_text,
            confidence=plate.confidence,
            char_confidences=plate.char_confidences,
            is_legal=plate.is_legal,
            alternatives=tuple(
                AlternativeBody(text=other.text, confidence=other.confidence)
                for other in plate.alternatives
            ),
            layout=plate.layout,
            colour=plate.colour,
            frames_read=plate.frames_read,
            box_px=BoxBody.of(plate.box_px),
        )


class ModelBody(StrictBody):
    """Weights that made a passage."""

    name: str
    sha256: Sha256


class PassageBody(StrictBody):
    """One passage with everything that the device told."""

    summary: PassageSummaryBody
    device_id: Slug
    outbox_id: UUID
    boot_id: UUID
    seq: int
    first_seen_at: AwareDatetime
    last_seen_at: AwareDatetime
    clock_source: ClockSource
    clock_error_ms: int
    frame_index: int
    frame_width_px: int
    frame_height_px: int
    vehicle_box_px: BoxBody | None
    plate: PlateReadingBody | None
    speed_uncertainty_kmh: float | None
    models: tuple[ModelBody, ...]

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """Describe a passage."""
        box = passage.vehicle_box_px
        return cls(
            summary=PassageSummaryBody.of(passage.summary),
            device_id=passage.device_id,
            outbox_id=passage.outbox_id,
            boot_id=passage.boot_id,
            seq=passage.seq,
            first_seen_at=passage.first_seen_at,
            last_seen_at=passage.last_seen_at,
            clock_source=passage.clock_source,
            clock_error_ms=passage.clock_error_ms,
            frame_index=passage.frame_index,
            frame_width_px=passage.frame_width_px,
            frame_height_px=passage.frame_height_px,
            vehicle_box_px=BoxBody.of(box) if box is not None else None,
            plate=PlateReadingBody.of(passage.plate) if passage.plate is not None else None,
            speed_uncertainty_kmh=passage.speed_uncertainty_kmh,
            models=tuple(
                ModelBody(name=model.name, sha256=model.sha256) for model in passage.models
            ),
        )


class UploadBody(StrictBody):
    """A picture that is now in the store."""

    sha256: Sha256


class HealthBody(StrictBody):
    """Whether the process runs and reaches its database."""

    status: Literal["ok", "database-unavailable"]
    replica: Answerer | None = Field(
        default=None,
        description="Whether a replica answers heavy questions (replica), or why the database does "
        "instead; null without one.",
    )


class ProblemFieldBody(BaseModel):
    """A field that is wrong; its value is never repeated."""

    where: str
    why: str


class ProblemBody(BaseModel):
    """An error (RFC 9457). Programs decide by ``code``, which stays as it is."""

    type: str
    title: str
    status: int
    code: str
    request_id: str
    fields: tuple[ProblemFieldBody, ...] | None = None
