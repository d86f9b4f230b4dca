# SPDX-License-Identifier: AGPL-3.0-or-later
"""What has to hold for any message whatever: the property that fuzzing looks for a breach of.

A kept message is a file: the topic, a line end, the payload.
"""

import re
from pathlib import Path
from typing import Final

from central.contracts.event import Event
from central.contracts.heartbeat import HeartbeatV1
from central.contracts.message import MAX_MESSAGE_BYTES, Message
from central.contracts.streams import EVENT_CONTRACTS
from central.ingest.parsing import parse
from central.ingest.types import (
    Delivery,
    HeartbeatMessage,
    ParsedMessage,
    PassageMessage,
    Reason,
    RecordMessage,
    RejectedMessage,
    TagReadMessage,
)

CORPUS: Final = Path(__file__).parent / "corpus"
SUFFIX: Final = ".msg"
_DETAIL: Final = re.compile(r"[a-z0-9, ]{1,60}|not JSON")
"""Our own words and numbers; a plate or a text of a device would have other letters."""
_BROKEN_FIELD: Final = r"[a-z0-9_]*(\.[a-z0-9_]+)*: [a-z_]+"
_BROKEN_DETAIL: Final = re.compile(rf"{_BROKEN_FIELD}(; {_BROKEN_FIELD})*")
"""Names of the contract's fields, and the kind of what is wrong with them."""


def kept_messages() -> list[Path]:
    """Every message that is kept."""
    return sorted(CORPUS.glob(f"*{SUFFIX}"))


def delivery_of(data: bytes) -> Delivery:
    """The delivery that a kept message, or a fuzzer's bytes, stand for."""
    topic, _, payload = data.partition(b"\n")
    return Delivery(topic=topic.decode("utf-8", "replace"), payload=payload)


def check(data: bytes) -> ParsedMessage:
    """Read a message, and see that what came of it is right.

    Raises:
        AssertionError: A property is broken.
    """
    delivery = delivery_of(data)
    parsed = parse(delivery)
    assert parsed.delivery is delivery
    match parsed:
        case RejectedMessage():
            _check_rejected(parsed)
        case HeartbeatMessage():
            assert HeartbeatV1.from_json(delivery.payload) == parsed.heartbeat
        case PassageMessage() | TagReadMessage() | RecordMessage():
            _check_event(parsed)
    return parsed


def _check_rejected(message: RejectedMessage) -> None:
    """Its reason is one of ours, and its text holds nothing that stood in the message."""
    assert isinstance(message.reason, Reason)
    is_broken = message.reason is Reason.CONTRACT_BROKEN
    wanted = _BROKEN_DETAIL if is_broken else _DETAIL
    assert wanted.fullmatch(message.detail), "a detail that is not in our words"
    if len(message.delivery.payload) > MAX_MESSAGE_BYTES:
        assert message.reason in {Reason.TOO_BIG, Reason.TOPIC_UNKNOWN}
    if message.envelope is not None:
        assert message.topic is not None
        assert message.envelope.stream.device_id == message.topic.device_id


def _check_event(message: PassageMessage | TagReadMessage | RecordMessage) -> None:
    """The contract takes it, too, and it is the event that its envelope names."""
    contract: type[Message] = EVENT_CONTRACTS[message.topic.stream]
    event = contract.from_json(message.delivery.payload)
    assert isinstance(event, Event)
    assert (event.id, event.seq) == (message.envelope.event_id, message.envelope.seq)
    assert (event.device_id, event.outbox_id) == (
        message.envelope.stream.device_id,
        message.envelope.stream.outbox_id,
    )
    assert (event.device_id, event.site_id) == (message.topic.device_id, message.topic.site_id)
