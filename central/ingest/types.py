# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages on their way from the broker into the database."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from msgspec import Struct

from central.contracts.event import Event
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.topics import Topic
from central.ingest.wire import Quiet, WireEvent, WirePassage, WireTagRead

_HASH_BITS: Final = (1 << 60) - 1
"""An id's own random bits are hash enough; hashing every field takes a tenth of a batch's time."""


class Reason(StrEnum):
    """Why a message is in quarantine."""

    NOT_JSON = "not_json"
    CONTRACT_BROKEN = "contract_broken"
    TOO_BIG = "too_big"
    TOPIC_UNKNOWN = "topic_unknown"
    TOPIC_MISMATCH = "topic_mismatch"
    UNKNOWN_DEVICE = "unknown_device"
    DEVICE_DISABLED = "device_disabled"
    SITE_MISMATCH = "site_mismatch"
    UNKNOWN_CAMERA = "unknown_camera"
    TIME_IN_FUTURE = "time_in_future"
    TIME_TOO_OLD = "time_too_old"
    SEQ_REUSED = "seq_reused"
    ID_REUSED = "id_reused"
    TOO_MANY_GAPS = "too_many_gaps"
    REFUSED_BY_DATABASE = "refused_by_database"


class Delivery(Quiet, frozen=True, gc=False, kw_only=True):
    """A message as the broker delivered it.

    Attributes:
        message_id: MQTT packet identifier, to acknowledge with.
        link: Number of the connection it came over: an acknowledgement is valid on it only.
    """

    topic: str
    payload: bytes
    message_id: int = 0
    qos: int = 1
    link: int = 0


class StreamKey(Struct, frozen=True, gc=False, kw_only=True):
    """One life of one device's outbox."""

    device_id: str
    outbox_id: UUID

    def __hash__(self) -> int:
        return self.outbox_id.int & _HASH_BITS


class Envelope(Struct, frozen=True, gc=False, kw_only=True):
    """Which event of which outbox a message is; its device is the one of its topic."""

    stream: StreamKey
    seq: int
    event_id: UUID

    def __hash__(self) -> int:
        return self.event_id.int & _HASH_BITS


class EventMessage(Quiet, frozen=True, gc=False, kw_only=True):
    """A message that becomes a row, and whose number is one of its outbox.

    Attributes:
        is_late: Whether the event is late: its device says so, or it became old on its way.
    """

    delivery: Delivery
    topic: Topic
    envelope: Envelope
    event: WireEvent | Event
    is_late: bool


class PassageMessage(EventMessage, frozen=True, gc=False, kw_only=True):
    """A message that keeps the passage's contract.

    Attributes:
        body: Its row, but for the start.
        pictures: The rows of its pictures.
    """

    event: WirePassage
    body: bytes
    pictures: bytes


class TagReadMessage(EventMessage, frozen=True, gc=False, kw_only=True):
    """A message that keeps the tag read's contract.

    Attributes:
        body: Its row, but for the start.
    """

    event: WireTagRead
    body: bytes


class RecordMessage(EventMessage, frozen=True, gc=False, kw_only=True):
    """A message that keeps the contract of one of the streams on which little comes."""

    event: Event


class HeartbeatMessage(Quiet, frozen=True, gc=False, kw_only=True):
    """A message that keeps the heartbeat's contract."""

    delivery: Delivery
    topic: Topic
    heartbeat: HeartbeatV1


class RejectedMessage(Quiet, frozen=True, gc=False, kw_only=True):
    """A message that can't become a row.

    Attributes:
        topic: Its topic, if that is one of ours.
        envelope: Which event it is, if that much could be read: then its number counts as held.
        detail: What is wrong, without any value out of the message.
    """

    delivery: Delivery
    reason: Reason
    detail: str
    topic: Topic | None
    envelope: Envelope | None


ParsedMessage = EventMessage | HeartbeatMessage | RejectedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAck:
    """A commit acknowledgement that is due: everything up to ``up_to_seq`` is committed."""

    topic: Topic
    stream: StreamKey
    up_to_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOutcome:
    """What became of a batch, valid once it is committed.

    Attributes:
        stored: Passages and tag reads that are rows now.
        doubled: Messages that were here already.
        late: How many of ``stored`` came late from an outbox.
        heartbeats: Heartbeats taken in.
        quarantined: New messages in quarantine, by reason.
        latencies_s: Seconds from capture to storing of passages that were not late.
        acks: One per outbox that had a message in the batch.
    """

    stored: int = 0
    doubled: int = 0
    late: int = 0
    heartbeats: int = 0
    quarantined: tuple[Reason, ...] = ()
    latencies_s: tuple[float, ...] = ()
    acks: tuple[StreamAck, ...] = ()
