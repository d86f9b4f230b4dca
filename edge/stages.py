# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values that the stages of the edge pass on: Frame → Detected → Tracked → Read → Passage.

Each stage takes one value and returns the next; no stage knows another one, ``app`` wires them.
"""

from dataclasses import dataclass
from datetime import datetime

from central.contracts.passage import Direction
from models.runtime.values import BgrImage, BoxPx, Detection, PlateReading, VehicleClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of one camera.

    Attributes:
        camera_id: Camera that took it.
        index: Number of the frame in its source, from 0, counting frames that were not analysed.
        captured_at: Aware UTC time of exposure, as exactly as the source knows it.
        image: Shape ``(height, width, 3)``, BGR, uint8; not written to by any stage.
    """

    camera_id: str
    index: int
    captured_at: datetime
    image: BgrImage

    def __post_init__(self) -> None:
        if self.captured_at.tzinfo is None:
            raise ValueError("captured_at must be aware")
        if self.image.ndim != 3 or self.image.shape[2] != 3:  # noqa: PLR2004 - BGR
            raise ValueError(f"a frame is (height, width, 3), got {self.image.shape}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """A frame and the objects found in it: vehicles in road mode, plates in gate mode."""

    frame: Frame
    detections: tuple[Detection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedObject:
    """One detection with the number of the track it belongs to."""

    track_id: int
    detection: Detection


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A frame with its tracked objects and the tracks that ended with it."""

    frame: Frame
    objects: tuple[TrackedObject, ...]
    ended_track_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateSighting:
    """One plate of one track read in one frame; the box is in pixels of the whole frame."""

    track_id: int
    plate_box_px: BoxPx
    detection_confidence: float
    reading: PlateReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A tracked frame and what was read in it."""

    tracked: Tracked
    sightings: tuple[PlateSighting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePicture:
    """A JPEG that goes into the outbox beside its passage."""

    kind: str
    sha256: str
    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRead:
    """One tag that passed one reader once: all its answers taken together.

    Attributes:
        reader_id: Reader that heard it.
        lane: Lane of the antenna; ``None`` when it has none.
        epc: The tag's code, upper-case hex.
        antenna: Antenna of the strongest answer, from 1.
        rssi_dbm: Strength of that answer; ``None`` when the reader does not tell.
        reads: Number of answers, at least 1.
        captured_at: Aware UTC time of the strongest answer.
        first_seen_at: Of the first answer.
        last_seen_at: Of the last answer so far.
    """

    reader_id: str
    lane: int | None
    epc: str
    antenna: int
    rssi_dbm: float | None
    reads: int
    captured_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One vehicle that passed once: the end of the pipeline, before it becomes a message.

    Attributes:
        captured_at: Time of the frame that stands for the passage (its best picture).
        frame_index: Index of that frame.
        plate: Reading agreed over all sightings; ``None`` when no plate was seen.
        plate_frames: Number of frames in which the plate was read.
        direction: Movement in the picture.
    """

    camera_id: str
    captured_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    frame_index: int
    frame_width_px: int
    frame_height_px: int
    direction: Direction
    vehicle_class: VehicleClass | None
    vehicle_confidence: float | None
    vehicle_box_px: BoxPx | None
    plate: PlateReading | None
    plate_box_px: BoxPx | None
    plate_frames: int
    evidence: tuple[EvidencePicture, ...]
