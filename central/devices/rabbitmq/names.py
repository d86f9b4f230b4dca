# SPDX-License-Identifier: AGPL-3.0-or-later
"""How things are called at RabbitMQ, and how MQTT's topics look from its AMQP side."""

from typing import Final

VHOST: Final = "luuthong"
"""The virtual host of everything of ours."""

EXCHANGE: Final = "amq.topic"
"""Where the MQTT plugin puts what devices send, and from where it takes what they hear."""

INGEST_QUEUE: Final = "luuthong.ingest"
"""The quorum queue of all events and heartbeats; every ingest process reads it."""

_SWAPPED: Final = str.maketrans({"/": ".", ".": "/", "+": "*"})
_SWAPPED_BACK: Final = str.maketrans({".": "/", "/": ".", "*": "+"})


def routing_key(topic: str) -> str:
    """An MQTT topic or filter in AMQP's words: levels are parted by dots there.

    A dot within a level becomes a slash, as the MQTT plugin does it, so that no name of a device
    can reach into another level.
    """
    return topic.translate(_SWAPPED)


def mqtt_topic(key: str) -> str:
    """A routing key in MQTT's words; the way back of ``routing_key``."""
    return key.translate(_SWAPPED_BACK)
