# SPDX-License-Identifier: AGPL-3.0-or-later
"""What keys sign: random, kept at the centre for one answer, and old after a few minutes."""

import secrets
from datetime import datetime, timedelta
from typing import Final

RANDOM_BYTES: Final = 32
TIME_BYTES: Final = 8
CHALLENGE_LASTS: Final = timedelta(minutes=5)
"""How long a browser may take to answer. Lower: whoever looks for the key begins again."""


def new_challenge(*, now: datetime) -> bytes:
    """Random bytes, and behind them the second in which they were made."""
    return secrets.token_bytes(RANDOM_BYTES) + int(now.timestamp()).to_bytes(TIME_BYTES)


def is_fresh(challenge: bytes, *, now: datetime) -> bool:
    """Whether a challenge that was kept here may still be answered."""
    made_at_s = int.from_bytes(challenge[RANDOM_BYTES:])
    return 0 <= now.timestamp() - made_at_s < CHALLENGE_LASTS.total_seconds()
