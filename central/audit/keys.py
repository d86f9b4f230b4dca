# SPDX-License-Identifier: AGPL-3.0-or-later
"""Personal facts of the log under a key of their vehicle: destroying the key erases them.

The chain proves the sealed bytes, so it still holds when nobody can read them any more. What this
erases and what it does not: ``deploy/docs/adr/0008-erasure-by-key.md``.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self, cast
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from central.audit.types import JsonValue

SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKey:
    """The key of one vehicle, plate or licence.

    Attributes:
        id: Random; stands in the log where the plate would.
        secret: 32 bytes for AES-256-GCM.
    """

    id: UUID
    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls) -> Self:
        """A key that nobody knows yet."""
        return cls(id=uuid4(), secret=secrets.token_bytes(SECRET_BYTES))

    @property
    def fingerprint(self) -> bytes:
        """Names the key for ever, also when it is destroyed, and tells nothing about it."""
        return hashlib.sha256(self.secret).digest()

    def seal(self, facts: Mapping[str, JsonValue]) -> bytes:
        """Facts that only this key opens."""
        plain = json.dumps(dict(facts), ensure_ascii=False, sort_keys=True).encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.secret).encrypt(nonce, plain, self.id.bytes)

    def open(self, sealed: bytes) -> Mapping[str, JsonValue] | None:
        """The facts again; ``None`` when the bytes were not sealed with this key."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            plain = AESGCM(self.secret).decrypt(nonce, rest, self.id.bytes)
        except (InvalidTag, ValueError):
            return None
        # What we sealed is a mapping with texts as names.
        return cast("dict[str, JsonValue]", json.loads(plain))
