# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may do what at the broker, in the words of mosquitto's dynamic security.

A device may touch only topics that carry its own name; nobody may touch anything that is not
listed here. The centre's own account may give and take accounts and cannot read any message.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from central.contracts.topics import EVENT_STREAMS, PREFIX, Stream

CONTROL_USERNAME: Final = "centre"
"""Account that gives and takes accounts."""

INGEST_USERNAME: Final = "ingest"
"""Account that reads what devices send and answers them."""

CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"
CONTROL_ANSWER_TOPIC: Final = f"{CONTROL_TOPIC}/response"

DEVICE_ROLE_PREFIX: Final = "device-"
"""Every device has a role of its own: the plugin knows no pattern for "the user's name"."""

RIGHTS_VERSION: Final = 2
"""Number of the rights below; whoever changes them raises it, and a synchronisation of the broker
gives them to every device."""

Rights = list[dict[str, object]]

# The secrets are random and 256 bits long: more iterations would only slow every login down.
_HASH_ITERATIONS: Final = 101
_SALT_BYTES: Final = 12
_SEND: Final = "publishClientSend"
_RECEIVE: Final = "publishClientReceive"
_SUBSCRIBE: Final = "subscribePattern"

_DEVICE_SENDS: Final = (*EVENT_STREAMS, Stream.HEARTBEAT)
_DEVICE_HEARS: Final = (Stream.ACK, Stream.COMMAND)


def device_role(device_id: str) -> str:
    """Name of a device's role with the rights of today."""
    return f"{DEVICE_ROLE_PREFIX}{device_id}/{RIGHTS_VERSION}"


def earlier_device_roles(device_id: str) -> Sequence[str]:
    """Names of the roles with rights of earlier versions."""
    numbered = (f"{DEVICE_ROLE_PREFIX}{device_id}/{n}" for n in range(2, RIGHTS_VERSION))
    return (f"{DEVICE_ROLE_PREFIX}{device_id}", *numbered)


def device_rights(device_id: str) -> Rights:
    """What a device may do: send its events and hear its answers, under its own name only."""
    sends = [_right(_SEND, f"{PREFIX}/+/+/{device_id}/{stream}") for stream in _DEVICE_SENDS]
    hears = [_right(_SUBSCRIBE, f"{PREFIX}/+/+/{device_id}/{stream}") for stream in _DEVICE_HEARS]
    return [*sends, *hears]


def accounts_of_services(
    known: Mapping[str, object] | None, *, control_secret: str, ingest_secret: str
) -> dict[str, object]:
    """Content of the plugin's file in which the centre's two own accounts are right.

    Args:
        known: What the file of a broker that does not run holds; ``None`` for a new broker.
        control_secret: Secret of the account that gives accounts.
        ingest_secret: Secret of ingest's account.

    Returns:
        The whole content; accounts and roles of devices stay as they were.
    """
    roles = {
        CONTROL_USERNAME: [
            _right(_SEND, f"{CONTROL_TOPIC}/#"),
            _right(_SEND, CONTROL_TOPIC),
            _right(_RECEIVE, f"{CONTROL_TOPIC}/#"),
            _right(_SUBSCRIBE, CONTROL_ANSWER_TOPIC),
        ],
        INGEST_USERNAME: [
            _right(_SEND, f"{PREFIX}/#"),
            _right(_SUBSCRIBE, f"{PREFIX}/#"),
            _right(_SUBSCRIBE, f"$share/ingest/{PREFIX}/#"),
        ],
    }
    given = {CONTROL_USERNAME: control_secret, INGEST_USERNAME: ingest_secret}
    return {
        "defaultACLAccess": {
            _SEND: False,
            _RECEIVE: True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [
            *_others(known, "clients", "username", roles),
            *(
                {"username": name, "roles": [{"rolename": name}], **_hashed(secret)}
                for name, secret in given.items()
            ),
        ],
        "groups": [],
        "roles": [
            *_others(known, "roles", "rolename", roles),
            *({"rolename": name, "acls": rights} for name, rights in roles.items()),
        ],
    }


def _right(kind: str, topic: str) -> dict[str, object]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


def _others(
    known: Mapping[str, object] | None, part: str, key: str, ours: Mapping[str, object]
) -> Sequence[object]:
    """Entries of a file that are not the services' own."""
    entries = (known or {}).get(part, [])
    if not isinstance(entries, list):
        return []
    return [each for each in entries if isinstance(each, dict) and each.get(key) not in ours]


def _hashed(secret: str) -> dict[str, object]:
    """A secret as the plugin keeps it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _HASH_ITERATIONS)
    return {
        "password": base64.b64encode(digest).decode("ascii"),
        "salt": base64.b64encode(salt).decode("ascii"),
        "iterations": _HASH_ITERATIONS,
    }
