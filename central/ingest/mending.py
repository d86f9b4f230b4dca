# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mending a message in quarantine: what may be stored in its place, and what can be proposed.

The message stays as it came; what is mended lies beside it. It must keep the contract of its topic,
and be the same event: a mended message never becomes another one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from central.contracts.message import Message
from central.contracts.streams import EVENT_CONTRACTS
from central.contracts.topics import Stream
from central.ingest.parsing import parse
from central.ingest.types import (
    Delivery,
    Envelope,
    HeartbeatMessage,
    Reason,
    RejectedMessage,
)

UNMENDABLE: Final = frozenset({Reason.SEQ_REUSED.value, Reason.ID_REUSED.value})
"""Another event bears the number or the id: whatever is written, the device has to be looked at."""

COMPANIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "vehicle_class": "vehicle_confidence",
        "vehicle_confidence": "vehicle_class",
        "speed_kmh": "speed_uncertainty_kmh",
        "speed_uncertainty_kmh": "speed_kmh",
    }
)
"""Optional fields that are there together or not at all."""

ROUNDS_MAX: Final = 5
"""Most times that fields are left out of a proposal: one leads to another, seldom twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a message in quarantine.

    Attributes:
        event_id: Its event, number and outbox, as far as they could be read.
    """

    topic: str
    reason: str
    event_id: UUID | None
    outbox_id: UUID | None
    seq: int | None


def check_mended(known: Known, payload: bytes) -> Envelope | str:
    """Which event a mended message is, or what is wrong with it, without any value out of it."""
    if known.reason in UNMENDABLE:
        return "another event bears this number or id"
    message = parse(Delivery(topic=known.topic, payload=payload))
    if isinstance(message, HeartbeatMessage):
        return "a heartbeat is not mended: the next one replaces it"
    if isinstance(message, RejectedMessage):
        return message.detail or message.reason.value
    named = message.envelope
    was = (known.event_id, known.outbox_id, known.seq)
    is_now = (named.event_id, named.stream.outbox_id, named.seq)
    if any(before is not None and before != now for before, now in zip(was, is_now, strict=True)):
        return "id, outbox_id and seq have to stay as they are"
    return named


def propose(topic_stream: Stream, payload: bytes) -> bytes | None:
    """A message of another version as the version that this centre knows.

    Its kind is set, and optional fields that this version can't read are left out. Fields that it
    does not know stay: whoever reads the message ignores them.

    Returns:
        JSON that keeps the contract; ``None`` when it can't be made out of the message.
    """
    contract = EVENT_CONTRACTS.get(topic_stream)
    fields = _object(payload)
    if contract is None or fields is None:
        return None
    fields["kind"] = contract.model_fields["kind"].default
    for _ in range(ROUNDS_MAX):
        try:
            contract.from_json(json.dumps(fields))
        except ValidationError as error:
            unreadable = _optional_fields(contract, error) & fields.keys()
            if not unreadable:
                return None
            for name in unreadable:
                del fields[name]
        else:
            return json.dumps(fields, ensure_ascii=False, indent=2).encode()
    return None


def _object(payload: bytes) -> dict[str, Any] | None:  # JSON of any form
    try:
        read = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _optional_fields(contract: type[Message], error: ValidationError) -> set[str]:
    """Fields that are to blame for an error and that the contract can do without."""
    blamed = {str(each["loc"][0]) for each in error.errors(include_input=False) if each["loc"]}
    companions = {COMPANIONS[name] for name in blamed if name in COMPANIONS}
    return {
        name
        for name in blamed | companions
        if name in contract.model_fields and not contract.model_fields[name].is_required()
    }
