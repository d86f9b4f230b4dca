# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about passages."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from central.contracts.event import ClockSource
from central.contracts.evidence_notice import EvidenceFate
from central.contracts.identifiers import SLUG_PATTERN
from central.contracts.passage import (
    Direction,
    EvidenceKind,
    PlateColour,
    PlateLayout,
    VehicleClass,
)
from central.domain.plates import PlatePattern
from central.errors import InvalidFilterError

PAGE_SIZE_MAX: Final = 200
FILTER_VALUES_MAX: Final = 500
"""Most sites or cameras in one search."""

_SLUG: Final = re.compile(SLUG_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraKey:
    """A camera: its id is unique within its site."""

    site_id: str
    camera_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageFilter:
    """What to search for; an empty part does not restrict.

    Attributes:
        captured_from: Earliest capture time, included.
        captured_until: Latest capture time, excluded.
        site_ids: Any of these sites.
        cameras: Any of these cameras.
        directions: Any of these directions.
        vehicle_classes: Any of these classes.
        plate: A plate, perhaps with wildcards.
        only_unread: Only passages without a readable plate.
    """

    captured_from: datetime | None = None
    captured_until: datetime | None = None
    site_ids: tuple[str, ...] = ()
    cameras: tuple[CameraKey, ...] = ()
    directions: tuple[Direction, ...] = ()
    vehicle_classes: tuple[VehicleClass, ...] = ()
    plate: PlatePattern | None = None
    only_unread: bool = False

    def __post_init__(self) -> None:
        for instant in (self.captured_from, self.captured_until):
            if instant is not None and instant.tzinfo is None:
                raise InvalidFilterError("times need a time zone")
        if (
            self.captured_from is not None
            and self.captured_until is not None
            and self.captured_from >= self.captured_until
        ):
            raise InvalidFilterError("the end must come after the beginning")
        if max(len(self.site_ids), len(self.cameras)) > FILTER_VALUES_MAX:
            raise InvalidFilterError(f"more than {FILTER_VALUES_MAX} sites or cameras")
        names = [*self.site_ids]
        names.extend(name for each in self.cameras for name in (each.site_id, each.camera_id))
        if any(_SLUG.fullmatch(name) is None for name in names):
            raise InvalidFilterError("a site or camera can't be called that")
        if self.only_unread and self.plate is not None:
            raise InvalidFilterError("an unread plate can't be searched for by its text")

    @property
    def is_pattern(self) -> bool:
        """Whether a plate is searched for of which a part is unknown."""
        return self.plate is not None and not self.plate.is_exact


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCursor:
    """The last passage of a page; the next page holds older ones."""

    captured_at: datetime
    passage_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """How much to return, and from where."""

    size: int = 50
    after: PageCursor | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.size <= PAGE_SIZE_MAX:
            raise InvalidFilterError(f"a page has 1 to {PAGE_SIZE_MAX} rows")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLink:
    """A picture that a passage names.

    Attributes:
        is_stored: Whether it has arrived and still is.
        fate: Why its device can't send it any more; ``None`` when it was not given up, or is here.
    """

    kind: EvidenceKind
    sha256: str
    is_stored: bool
    fate: EvidenceFate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageSummary:
    """A passage as a row of a table.

    Attributes:
        plate_text: Plate without separators; empty when none was seen or read.
        plate_raw_text: What the network saw before the plate's grammar; ``None`` without a plate.
        plate_confidence: Probability that ``plate_text`` is right; ``None`` without a plate.
    """

    id: UUID
    captured_at: datetime
    stored_at: datetime
    site_id: str
    site_name: str
    camera_id: str
    camera_name: str
    lane: int | None
    direction: Direction
    vehicle_class: VehicleClass | None
    vehicle_confidence: float | None
    plate_text: str
    plate_raw_text: str | None
    plate_confidence: float | None
    plate_is_legal: bool | None
    plate_layout: PlateLayout | None
    plate_colour: PlateColour | None
    speed_kmh: float | None
    is_late: bool
    evidence: tuple[EvidenceLink, ...] = ()

    @property
    def cursor(self) -> PageCursor:
        """Where the page after this row begins."""
        return PageCursor(captured_at=self.captured_at, passage_id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxPx:
    """A box in pixels of the analysed frame: origin top left, x right, y down."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateAlternative:
    """Another reading of the same plate."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateReading:
    """The plate of a passage with everything that is known about its reading."""

    text: str
    raw_text: str
    confidence: float
    char_confidences: tuple[float, ...]
    is_legal: bool
    alternatives: tuple[PlateAlternative, ...]
    layout: PlateLayout
    colour: PlateColour
    frames_read: int
    box_px: BoxPx


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDigest:
    """Weights that made a passage."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One passage with everything that the device told."""

    summary: PassageSummary
    device_id: str
    outbox_id: UUID
    boot_id: UUID
    seq: int
    first_seen_at: datetime
    last_seen_at: datetime
    clock_source: ClockSource
    clock_error_ms: int
    frame_index: int
    frame_width_px: int
    frame_height_px: int
    vehicle_box_px: BoxPx | None
    plate: PlateReading | None
    speed_uncertainty_kmh: float | None
    models: tuple[ModelDigest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagePage:
    """One page of a search, newest first. ``next`` is ``None`` on the last page."""

    passages: tuple[PassageSummary, ...]
    next: PageCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageCount:
    """How many passages fit a search; counting stops at a limit."""

    count: int
    is_at_least: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """New passages in the order they were committed, and where to go on."""

    passages: tuple[PassageSummary, ...]
    position: int
