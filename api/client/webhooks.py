# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks what a webhook brought; needs the standard library only.

Give the body as it came, byte for byte, before anything reads it as JSON. Keep the ids of messages
that were worked on: each comes at least once, and not always in order.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

REPLAY_WINDOW: Final = timedelta(minutes=5)
"""How far the time of a message may lie from ours. Higher: worse clocks are forgiven, and a message
that somebody recorded can be played again for longer."""

SECRET_MARK: Final = "whsec_"  # noqa: S105 - marks a secret, and is none
SIGNATURES_MAX: Final = 10


class WebhookRefusedError(Exception):
    """A message was not sent by who holds the secret, or not now; ``reason`` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verified(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    now: datetime,
    window: timedelta = REPLAY_WINDOW,
) -> dict[str, Any]:  # Any: what JSON holds
    """The message, if it was signed with one of the secrets within the window.

    Args:
        body: The request's body, byte for byte.
        headers: Those of the request; names in any case.
        secrets: ``whsec_…``; while a secret is renewed, the new and the old one.
        now: Aware time.
        window: How far the message's time may lie from ``now``.

    Raises:
        WebhookRefusedError: It was not.
    """
    told = {name.lower(): value for name, value in headers.items()}
    message_id, stamp = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    if not message_id or not stamp.isascii() or not stamp.isdigit() or len(stamp) > len("9" * 11):
        raise WebhookRefusedError("incomplete")
    content = b".".join((message_id.encode(), stamp.encode(), body))
    expected = [_signature(content, secret) for secret in secrets]
    given = told.get("webhook-signature", "").split()[:SIGNATURES_MAX]
    matches = [
        hmac.compare_digest(one.encode(), another.encode()) for one in expected for another in given
    ]
    if not any(matches):
        raise WebhookRefusedError("signature")
    if abs(now.timestamp() - int(stamp)) > window.total_seconds():
        raise WebhookRefusedError("time")
    try:
        message = json.loads(body)
    except ValueError:
        raise WebhookRefusedError("body") from None
    if not isinstance(message, dict) or message.get("id") != message_id:
        raise WebhookRefusedError("body")
    return message


def _signature(content: bytes, secret: str) -> str:
    """What a message signed with a secret carries.

    Raises:
        ValueError: The secret is not written as one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_MARK), validate=True)
    except binascii.Error:
        raise ValueError("a secret is written whsec_ and base64") from None
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
