# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making and recognising one-time codes (RFC 6238) and recovery codes."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Final

from pyotp import TOTP

SECRET_BYTES: Final = 20
"""As long as the hash that apps use (RFC 4226, section 4)."""

STEP_S: Final = 30
SKEW_STEPS: Final = 1
"""How far clocks may be apart, in steps. Higher: more clocks fit, and a seen code lives longer."""

DIGITS: Final = 6
ISSUER: Final = "Luuthong"
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 15
"""120 bits: nobody finds one from its hash, however fast the hash is."""

_GROUP: Final = 4
_APP_CODE: Final = re.compile(rf"[0-9]{{{DIGITS}}}")
_SPACERS: Final = re.compile(r"[\s-]+")


def new_secret() -> bytes:
    """A secret for an app."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """A secret as apps take it by hand: base32."""
    return base64.b32encode(secret).decode()


def setup_uri(secret: bytes, *, username: str) -> str:
    """A secret as apps take it from a QR code."""
    return _codes(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def step_of(now: datetime) -> int:
    """Number of the time step."""
    return int(now.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, *, now: datetime, after_step: int) -> int | None:
    """The time step that a code belongs to; ``None`` when it is wrong or was used.

    Args:
        secret: What the app has, too.
        code: As it was typed, without spaces.
        now: Aware time.
        after_step: Newest step of which a code was taken; none up to it counts.
    """
    present = step_of(now)
    found = None
    for step in range(present - SKEW_STEPS, present + SKEW_STEPS + 1):
        is_right = hmac.compare_digest(_codes(secret).generate_otp(step), code)
        if is_right and step > after_step:
            found = step
    return found


def is_app_code(code: str) -> bool:
    """Whether a typed code looks like one of an app."""
    return _APP_CODE.fullmatch(code) is not None


def plain(code: str) -> str:
    """A typed code without spaces and hyphens, in capital letters."""
    return _SPACERS.sub("", code).upper()


def new_recovery_codes() -> tuple[str, ...]:
    """Codes for a lost device, in groups of letters and digits that are hard to mistake."""
    return tuple(_recovery_code() for _ in range(RECOVERY_CODES))


def recovery_hash(code: str) -> bytes:
    """What is kept of a recovery code."""
    return hashlib.sha256(plain(code).encode()).digest()


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def _codes(secret: bytes) -> TOTP:
    return TOTP(secret_text(secret), digits=DIGITS, interval=STEP_S)
