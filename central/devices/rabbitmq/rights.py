# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may do what at RabbitMQ: patterns for queues and exchanges, and for topics within one.

A device may touch only topics that carry its own name, whichever protocol it speaks. The centre's
own account may give and take accounts and cannot read any message.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from central.contracts.topics import EVENT_STREAMS, PREFIX, Stream
from central.devices.broker_rights import CONTROL_USERNAME, INGEST_USERNAME
from central.devices.rabbitmq.names import EXCHANGE, INGEST_QUEUE, VHOST, routing_key

NOTHING: Final = "^$"
"""Pattern that no name fits."""

_HASHING: Final = "rabbit_password_hashing_sha512"
_SALT_BYTES: Final = 4  # RabbitMQ's own; the secrets are random and 256 bits long
_LEVEL: Final = r"[^.]+"
_FILTER_LEVEL: Final = r"([^.]+|\*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one user may do; every field is a regular expression, whole names fit.

    Attributes:
        configure: Queues and exchanges that it may make and remove.
        write: Those that it may write to, or bind.
        read: Those that it may read from, or bind from.
        topics_write: Routing keys that it may send on the exchange of topics.
        topics_read: Routing keys that it may listen to there.
    """

    configure: str
    write: str
    read: str
    topics_write: str
    topics_read: str


def device_rights(device_id: str) -> Rights:
    """What a device may do: send its events and hear its answers, under its own name only."""
    name = re.escape(device_id)
    session = rf"mqtt-subscription-{name}qos[01]"
    exchange = re.escape(EXCHANGE)
    prefix = re.escape(routing_key(PREFIX))
    sends = _one_of((*EVENT_STREAMS, Stream.HEARTBEAT))
    hears = _one_of((Stream.ACK, Stream.COMMAND))
    return Rights(
        configure=f"^{session}$",
        write=f"^({exchange}|{session})$",
        read=f"^({exchange}|{session})$",
        topics_write=rf"^{prefix}\.{_LEVEL}\.{_LEVEL}\.{name}\.{sends}$",
        topics_read=rf"^{prefix}\.{_FILTER_LEVEL}\.{_FILTER_LEVEL}\.{name}\.{hears}$",
    )


def ingest_rights() -> Rights:
    """What ingest may do: read what devices send, and answer them."""
    queue, exchange = re.escape(INGEST_QUEUE), re.escape(EXCHANGE)
    prefix = re.escape(routing_key(PREFIX))
    answers = _one_of((Stream.ACK, Stream.COMMAND))
    return Rights(
        configure=f"^{queue}$",
        write=f"^({queue}|{exchange})$",
        read=f"^({queue}|{exchange})$",
        topics_write=rf"^{prefix}\.{_LEVEL}\.{_LEVEL}\.{_LEVEL}\.{answers}$",
        topics_read=rf"^{prefix}\..*$",
    )


def services_definitions(*, control_secret: str, ingest_secret: str) -> dict[str, object]:
    """RabbitMQ's definitions of the virtual host and of the centre's two own accounts.

    Args:
        control_secret: Secret of the account that gives accounts.
        ingest_secret: Secret of ingest's account.

    Returns:
        What a node reads when it starts; accounts of devices are not in it and stay as they are.
    """
    ingest = ingest_rights()
    nothing = {"configure": NOTHING, "write": NOTHING, "read": NOTHING}
    return {
        "vhosts": [{"name": VHOST}],
        "users": [
            {"name": CONTROL_USERNAME, "tags": ["administrator"], **hashed(control_secret)},
            {"name": INGEST_USERNAME, "tags": [], **hashed(ingest_secret)},
        ],
        "permissions": [
            {"user": CONTROL_USERNAME, "vhost": VHOST, **nothing},
            {"user": INGEST_USERNAME, "vhost": VHOST, **permission_body(ingest)},
        ],
        "topic_permissions": [
            {"user": CONTROL_USERNAME, "vhost": VHOST, "exchange": EXCHANGE}
            | {"write": NOTHING, "read": NOTHING},
            {"user": INGEST_USERNAME, "vhost": VHOST, **topic_permission_body(ingest)},
        ],
    }


def permission_body(rights: Rights) -> dict[str, str]:
    """Rights on queues and exchanges as RabbitMQ takes them."""
    return {"configure": rights.configure, "write": rights.write, "read": rights.read}


def topic_permission_body(rights: Rights) -> dict[str, str]:
    """Rights on topics as RabbitMQ takes them."""
    return {"exchange": EXCHANGE, "write": rights.topics_write, "read": rights.topics_read}


def hashed(secret: str) -> dict[str, str]:
    """A secret as RabbitMQ keeps it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.sha512(salt + secret.encode()).digest()
    return {
        "password_hash": base64.b64encode(salt + digest).decode("ascii"),
        "hashing_algorithm": _HASHING,
    }


def _one_of(streams: Sequence[Stream]) -> str:
    return f"({'|'.join(re.escape(stream) for stream in streams)})"
