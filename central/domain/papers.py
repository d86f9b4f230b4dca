# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a paper stands on a day: what a clerk sees at a glance."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

EXPIRES_SOON: Final = timedelta(days=15)
"""A paper is said to run out soon from this long before on. A badge may be renewed 15 days before
its end (NĐ 158/2024/NĐ-CP Art. 23.7). Higher: earlier warnings, and more of them."""


class PaperState(StrEnum):
    """Where a paper stands."""

    VALID = "valid"
    EXPIRES_SOON = "expires_soon"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MISSING = "missing"
    """Needed, and the registry that would know it has none."""
    UNKNOWN = "unknown"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Days on which a paper holds.

    Attributes:
        valid_from: First day.
        valid_until: First day on which it no longer holds; ``None`` for papers without a term.
        revoked_on: First day on which it no longer holds because it was taken away.
    """

    valid_from: date
    valid_until: date | None
    revoked_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the paper is good on a day."""
        return self.state_on(day) in {PaperState.VALID, PaperState.EXPIRES_SOON}

    def state_on(self, day: date) -> PaperState:
        """Where the paper stands on a day."""
        if self.revoked_on is not None and self.revoked_on <= day:
            return PaperState.REVOKED
        if day < self.valid_from:
            return PaperState.NOT_YET_VALID
        if self.valid_until is None:
            return PaperState.VALID
        if self.valid_until <= day:
            return PaperState.EXPIRED
        return (
            PaperState.EXPIRES_SOON if self.valid_until - day <= EXPIRES_SOON else PaperState.VALID
        )


def months_later(day: date, months: int) -> date:
    """The same day some months later; where that month has none, the first day after it."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(years, month + 1, day.day)
    except ValueError:
        return date(years, month + 2, 1)  # December has 31 days


def inspection_state(inspected_until: date | None, *, on: date) -> PaperState:
    """Where an inspection certificate stands; the day that it names is its last one."""
    if inspected_until is None:
        return PaperState.UNKNOWN
    return Term(valid_from=date.min, valid_until=inspected_until + timedelta(days=1)).state_on(on)
