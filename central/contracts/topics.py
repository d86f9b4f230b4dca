# SPDX-License-Identifier: AGPL-3.0-or-later
"""MQTT topics: the one place that makes and parses them.

``lt/1/<province>/<site>/<device>/<stream>``; a device may only touch topics that carry its own
name, which the broker checks against the user it logged in as.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from central.contracts.identifiers import SLUG_PATTERN

PREFIX: Final = "lt/1"
_SLUG: Final = re.compile(SLUG_PATTERN)
_LEVELS_AFTER_PREFIX: Final = 4


class Stream(StrEnum):
    """What flows on a topic; ``ACK`` and ``COMMAND`` go from the centre to the device."""

    PASSAGE = "passage"
    TAG_READ = "tag-read"
    TRAFFIC_MINUTE = "traffic-minute"
    INCIDENT = "incident"
    EVIDENCE_NOTICE = "evidence-notice"
    HEARTBEAT = "heartbeat"
    ACK = "ack"
    COMMAND = "command"


EVENT_STREAMS: Final = (
    Stream.PASSAGE,
    Stream.TAG_READ,
    Stream.TRAFFIC_MINUTE,
    Stream.INCIDENT,
    Stream.EVIDENCE_NOTICE,
)
"""Streams whose messages are numbered by the outbox and acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A device's topic for one stream.

    Raises:
        ValueError: A part is not a slug.
    """

    province: str
    site_id: str
    device_id: str
    stream: Stream

    def __post_init__(self) -> None:
        for part in (self.province, self.site_id, self.device_id):
            if _SLUG.match(part) is None or "\n" in part:
                raise ValueError("province, site and device must be slugs")

    def __str__(self) -> str:
        return f"{PREFIX}/{self.province}/{self.site_id}/{self.device_id}/{self.stream}"


def parse_topic(text: str) -> Topic:
    """Read a topic back.

    Raises:
        ValueError: This is not a topic of ours.
    """
    if not text.startswith(f"{PREFIX}/"):
        raise ValueError("not a topic of this system")
    levels = text.removeprefix(f"{PREFIX}/").split("/")
    if len(levels) != _LEVELS_AFTER_PREFIX:
        raise ValueError("a topic has province, site, device and stream")
    province, site_id, device_id, stream = levels
    return Topic(province=province, site_id=site_id, device_id=device_id, stream=Stream(stream))


def subscription_for(stream: Stream) -> str:
    """Filter that matches a stream of every device."""
    return f"{PREFIX}/+/+/+/{stream}"
