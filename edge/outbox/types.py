# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values that the outbox takes and gives."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.contracts.evidence_notice import EvidenceFate
from central.contracts.topics import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """How big an outbox may grow.

    Attributes:
        picture_bytes_max: Bytes of waiting pictures. Higher keeps more evidence over a longer
            outage; above it the oldest pictures are dropped and counted.
        file_bytes_max: Bytes of the whole file; ``None`` leaves it to the disk. Above it pictures
            go first, then events wait outside.
    """

    picture_bytes_max: int
    file_bytes_max: int | None = None

    def __post_init__(self) -> None:
        if self.picture_bytes_max < 0:
            raise ValueError("picture_bytes_max can't be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSlot:
    """Place that an event gets: its number, valid in this outbox only."""

    outbox_id: UUID
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEvent:
    """An event that the centre has not committed yet.

    Attributes:
        seq: Its number; 1, 2, 3 … without a gap.
        boot_id: Process life in which it was made.
        created_at: Aware UTC time at which it was stored.
        payload: JSON of the message.
        stream: Which topic it goes to.
    """

    seq: int
    boot_id: UUID
    created_at: datetime
    payload: bytes
    stream: Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPicture:
    """A picture that has not been uploaded yet; ``number`` grows in order of arrival."""

    number: int
    sha256: str
    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPicture:
    """A picture that was given up.

    Attributes:
        event_id: Event that named it.
        sha256: Hex digest of its bytes.
        fate: What became of it.
        given_up_at: Aware UTC time.
    """

    event_id: UUID
    sha256: str
    fate: EvidenceFate
    given_up_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxNumbers:
    """How far an outbox has come.

    Attributes:
        last_seq: Highest number given so far; 0 in a fresh outbox.
        acknowledged_seq: Highest number known to be committed at the centre.
    """

    last_seq: int
    acknowledged_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """What an outbox holds.

    Attributes:
        outbox_id: Made when the file was created.
        last_seq: Highest number given so far; 0 in a fresh outbox.
        acknowledged_seq: Highest number known to be committed at the centre.
        events: Events waiting.
        oldest_event_at: When the oldest of them was stored; ``None`` when none waits.
        pictures: Pictures waiting.
        picture_bytes: Their size.
        pictures_dropped: Pictures given up since the outbox was made.
    """

    outbox_id: UUID
    last_seq: int
    acknowledged_seq: int
    events: int
    oldest_event_at: datetime | None
    pictures: int
    picture_bytes: int
    pictures_dropped: int
