# SPDX-License-Identifier: AGPL-3.0-or-later
"""Secrets of apps under a key that only the api's machine has: a copy of the database is no use."""

import secrets
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from central.errors import SettingsError

KEY_LENGTH_MIN: Final = 32
"""Characters of the key file. Lower: somebody might make the key up; higher: nothing gained."""

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_PURPOSE: Final = b"luuthong second factor 1"


class SecretSeal:
    """Seals secrets of users with AES-256-GCM; what was sealed for one opens for no other."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The seal whose key is derived from the text of a key file.

        Raises:
            SettingsError: The text is too short to be a random key.
        """
        if len(text) < KEY_LENGTH_MIN:
            raise SettingsError(
                f"the key of second factors needs {KEY_LENGTH_MIN} random characters"
            )
        derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_PURPOSE)
        return cls(derived.derive(text.encode()))

    def seal(self, secret: bytes, *, user_id: int) -> bytes:
        """A secret that only this key opens, and only for this user."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _bound_to(user_id))

    def open(self, sealed: bytes, *, user_id: int) -> bytes | None:
        """The secret again; ``None`` when another key or another user's row sealed it."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, _bound_to(user_id))
        except (InvalidTag, ValueError):
            return None


def _bound_to(user_id: int) -> bytes:
    return str(user_id).encode()
