# SPDX-License-Identifier: AGPL-3.0-or-later
"""From bytes to a message that keeps its contract, or to the reason why it does not."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from central.contracts.event import Event
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.identifiers import Slug
from central.contracts.message import MAX_MESSAGE_BYTES, Seq
from central.contracts.streams import EVENT_CONTRACTS
from central.contracts.topics import EVENT_STREAMS, Stream, Topic, parse_topic
from central.ingest.columns import evidence_rows, passage_body, tag_read_body
from central.ingest.types import (
    Delivery,
    Envelope,
    EventMessage,
    HeartbeatMessage,
    ParsedMessage,
    PassageMessage,
    Reason,
    RecordMessage,
    RejectedMessage,
    StreamKey,
    TagReadMessage,
)
from central.ingest.wire import WireEvent, WirePassage, WireTagRead, read_passage, read_tag_read

PROBLEMS_SHOWN_MAX = 5
TOPICS_REMEMBERED_MAX = 4096
STREAMS_REMEMBERED_MAX = 4096
_JSON_PROBLEM = "json_invalid"

_READERS: Final[Mapping[Stream, Callable[[bytes], WireEvent | Event]]] = MappingProxyType(
    {
        **{stream: contract.from_json for stream, contract in EVENT_CONTRACTS.items()},
        Stream.PASSAGE: read_passage,
        Stream.TAG_READ: read_tag_read,
    }
)


class _EnvelopeFields(BaseModel):
    """The fields that tell which event a message is, read even when others are wrong."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    device_id: Slug
    outbox_id: UUID
    seq: Seq


def parse(delivery: Delivery) -> ParsedMessage:
    """Read a message; never raises for what stands in it."""
    try:
        topic = _topic(delivery.topic)
    except ValueError:
        return _rejected(delivery, Reason.TOPIC_UNKNOWN, "not a topic of a device")
    if len(delivery.payload) > MAX_MESSAGE_BYTES:
        detail = f"{len(delivery.payload)} bytes, allowed are {MAX_MESSAGE_BYTES}"
        return _rejected(delivery, Reason.TOO_BIG, detail, topic=topic)
    try:
        return _of_stream(delivery, topic)
    except ValidationError as error:
        return _broken(delivery, topic, error)


@lru_cache(maxsize=TOPICS_REMEMBERED_MAX)
def _topic(text: str) -> Topic:
    """A topic; the same few come again and again."""
    return parse_topic(text)


@lru_cache(maxsize=STREAMS_REMEMBERED_MAX)
def _stream(device_id: str, outbox_number: int) -> StreamKey:
    """An outbox, which is the same value again: found faster than one that is equal."""
    return StreamKey(device_id=device_id, outbox_id=UUID(int=outbox_number))


def _of_stream(delivery: Delivery, topic: Topic) -> ParsedMessage:
    """The message as the contract of its stream has it.

    Raises:
        pydantic.ValidationError: It breaks that contract.
    """
    if topic.stream is Stream.HEARTBEAT:
        return _heartbeat(delivery, topic)
    read = _READERS.get(topic.stream)
    if read is None:
        return _rejected(delivery, Reason.TOPIC_UNKNOWN, "this stream goes out only")
    event = read(delivery.payload)
    named = _envelope_of(event, delivery, topic)
    if isinstance(named, RejectedMessage):
        return named
    return _event_message(event, named, delivery, topic)


def _event_message(
    event: WireEvent | Event, envelope: Envelope, delivery: Delivery, topic: Topic
) -> EventMessage:
    """An event with what its row needs."""
    match event:
        case WirePassage():
            return PassageMessage(
                delivery=delivery,
                topic=topic,
                event=event,
                envelope=envelope,
                is_late=event.is_late,
                body=passage_body(event),
                pictures=evidence_rows(event),
            )
        case WireTagRead():
            return TagReadMessage(
                delivery=delivery,
                topic=topic,
                event=event,
                envelope=envelope,
                is_late=event.is_late,
                body=tag_read_body(event),
            )
        case _:
            return RecordMessage(
                delivery=delivery,
                topic=topic,
                event=event,
                envelope=envelope,
                is_late=event.is_late,
            )


def _envelope_of(
    event: WireEvent | Event, delivery: Delivery, topic: Topic
) -> Envelope | RejectedMessage:
    """Which event it is, if its names agree with its topic."""
    if event.device_id != topic.device_id:
        return _rejected(delivery, Reason.TOPIC_MISMATCH, "device of another topic", topic=topic)
    envelope = Envelope(
        stream=_stream(event.device_id, event.outbox_id.int),
        seq=event.seq,
        event_id=event.id,
    )
    if event.site_id != topic.site_id:
        return RejectedMessage(
            delivery=delivery,
            reason=Reason.TOPIC_MISMATCH,
            detail="site of another topic",
            topic=topic,
            envelope=envelope,
        )
    return envelope


def _heartbeat(delivery: Delivery, topic: Topic) -> HeartbeatMessage | RejectedMessage:
    """A heartbeat whose names agree with its topic."""
    heartbeat = HeartbeatV1.from_json(delivery.payload)
    if (heartbeat.device_id, heartbeat.site_id) != (topic.device_id, topic.site_id):
        return _rejected(delivery, Reason.TOPIC_MISMATCH, "heartbeat of another", topic=topic)
    return HeartbeatMessage(delivery=delivery, topic=topic, heartbeat=heartbeat)


def _broken(delivery: Delivery, topic: Topic, error: ValidationError) -> RejectedMessage:
    """A message that breaks its contract, with as much of its identity as can be read."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    if problems[0]["type"] == _JSON_PROBLEM:
        return _rejected(delivery, Reason.NOT_JSON, "not JSON", topic=topic)
    detail = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'][:4])}: {problem['type']}"
        for problem in problems[:PROBLEMS_SHOWN_MAX]
    )
    return RejectedMessage(
        delivery=delivery,
        reason=Reason.CONTRACT_BROKEN,
        detail=detail,
        topic=topic,
        envelope=_envelope(delivery, topic) if topic.stream in EVENT_STREAMS else None,
    )


def _envelope(delivery: Delivery, topic: Topic) -> Envelope | None:
    """Which event a broken message is; ``None`` if unclear, or if it names a foreign device."""
    try:
        fields = _EnvelopeFields.model_validate_json(delivery.payload)
    except ValidationError:
        return None
    if fields.device_id != topic.device_id:
        return None
    return Envelope(
        stream=StreamKey(device_id=fields.device_id, outbox_id=fields.outbox_id),
        seq=fields.seq,
        event_id=fields.id,
    )


def _rejected(
    delivery: Delivery, reason: Reason, detail: str, *, topic: Topic | None = None
) -> RejectedMessage:
    """A message of which not even the event's number counts."""
    return RejectedMessage(
        delivery=delivery, reason=reason, detail=detail, topic=topic, envelope=None
    )
