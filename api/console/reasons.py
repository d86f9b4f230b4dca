# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why somebody looks at a vehicle: what is wrong with it, and kept so that one visit asks once."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypedDict
from uuid import UUID

from api.deps.acting import LookForm
from api.pages.i18n import Speech

ENTRIES_MAX: Final = 20_000
"""Most reasons kept; the oldest goes first."""

KEEP: Final = timedelta(minutes=20)
"""How long a reason holds. Higher: fewer questions, and reasons that no longer fit the look."""


class ReasonProblems(TypedDict):
    """What is wrong with a form's reason, for the fields of these names."""

    reason_problem: str | None
    reference_problem: str | None


def reason_problems(reason: LookForm, speech: Speech) -> ReasonProblems:
    """What is wrong with a reason, in words; nothing where it will do."""
    _ = speech.text
    return ReasonProblems(
        reason_problem=_("Choose why you look.") if reason.purpose is None else None,
        reference_problem=(
            _("At most 100 characters please.") if reason.is_reference_too_long else None
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    reason: LookForm = field(repr=False)
    kept_until: datetime


class ReasonShelf:
    """Reasons by session and vehicle, in memory only; every look is still written down.

    Lives in one process and one event loop; a restart forgets, and pages then ask again.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[bytes, str], _Entry] = OrderedDict()

    def remember(
        self, reason: LookForm, *, session: str, subject: UUID | str, now: datetime
    ) -> None:
        """Keep why a session looks at a vehicle, or at what a search found."""
        key = (_digest(session), str(subject))
        self._entries[key] = _Entry(reason=reason, kept_until=now + KEEP)
        self._entries.move_to_end(key)
        while len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def recall(self, *, session: str, subject: UUID | str, now: datetime) -> LookForm | None:
        """The reason given before; ``None`` when there is none, or it was long ago."""
        entry = self._entries.get((_digest(session), str(subject)))
        if entry is None or entry.kept_until <= now:
            return None
        return entry.reason


def _digest(session: str) -> bytes:
    """A session's token, so that it is kept nowhere in the clear."""
    return hashlib.sha256(session.encode()).digest()
