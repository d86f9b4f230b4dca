# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which contract the messages of a stream keep."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from central.contracts.event import Event
from central.contracts.evidence_notice import EvidenceNoticeV1
from central.contracts.incident import IncidentV1
from central.contracts.passage import PassageV1
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream
from central.contracts.traffic_minute import TrafficMinuteV1

EVENT_CONTRACTS: Final[Mapping[Stream, type[Event]]] = MappingProxyType(
    {
        Stream.PASSAGE: PassageV1,
        Stream.TAG_READ: TagReadV1,
        Stream.TRAFFIC_MINUTE: TrafficMinuteV1,
        Stream.INCIDENT: IncidentV1,
        Stream.EVIDENCE_NOTICE: EvidenceNoticeV1,
    }
)
"""Contract by stream, of what an outbox numbers."""


def stream_of(event: Event) -> Stream:
    """The stream that an event goes to.

    Raises:
        KeyError: It keeps none of the contracts.
    """
    return _STREAMS[type(event)]


_STREAMS: Final = {contract: stream for stream, contract in EVENT_CONTRACTS.items()}
