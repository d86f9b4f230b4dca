# SPDX-License-Identifier: AGPL-3.0-or-later
"""Secrets and signatures of webhooks, as Standard Webhooks lays them down.

A secret is derived from the key of this centre and a random salt, and only the salt is kept: who
reads the database can't sign, and the secret needs not be stored to be used again.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

SALT_BYTES: Final = 32
SECRET_MARK: Final = "whsec_"  # noqa: S105 - marks a secret, and is none
_PURPOSE: Final = b"luuthong webhook secret 1\x00"


def fresh_salt() -> bytes:
    """A salt that nobody knows yet."""
    return secrets.token_bytes(SALT_BYTES)


def secret_of(key: str, salt: bytes) -> bytes:
    """The secret that a key of this centre makes of a salt."""
    return hmac.digest(key.encode(), _PURPOSE + salt, hashlib.sha256)


def written(secret: bytes) -> str:
    """A secret as its receiver gets it."""
    return SECRET_MARK + base64.b64encode(secret).decode()


def signed_headers(
    body: bytes, *, event_id: UUID, sent_at: datetime, signing_secrets: Sequence[bytes]
) -> Mapping[str, str]:
    """Headers that prove who sent a body, and when; one signature for each secret."""
    stamp = str(int(sent_at.timestamp()))
    content = b".".join((str(event_id).encode(), stamp.encode(), body))
    signatures = (
        "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
        for secret in signing_secrets
    )
    return {
        "webhook-id": str(event_id),
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }
