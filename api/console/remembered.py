# SPDX-License-Identifier: AGPL-3.0-or-later
"""Remembers searched plates, so that addresses hold a random word and never a plate."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from central.domain.plates import PlatePattern

ENTRIES_MAX: Final = 5000
"""Most plates kept; the oldest goes first. Higher: old pages work longer, more memory."""

KEEP: Final = timedelta(hours=12)
WORD_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    user_id: int
    pattern: PlatePattern = field(repr=False)
    kept_until: datetime


class PlateShelf:
    """Searched plates of every user, in memory only and for some hours.

    Lives in one process and one event loop; a restart forgets, and pages then say so.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def remember(self, pattern: PlatePattern, *, user_id: int, now: datetime) -> str:
        """Keep a pattern for a user and return the word that stands for it."""
        word = secrets.token_urlsafe(WORD_BYTES)
        self._entries[word] = _Entry(user_id=user_id, pattern=pattern, kept_until=now + KEEP)
        while len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)
        return word

    def recall(self, word: str, *, user_id: int, now: datetime) -> PlatePattern | None:
        """The pattern behind a word; ``None`` when it is forgotten or another user's."""
        entry = self._entries.get(word)
        if entry is None or entry.user_id != user_id or entry.kept_until <= now:
            return None
        return entry.pattern
