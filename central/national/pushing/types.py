# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about handing figures up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from central.national.types import Acceptance, SheetKind

REASON_LENGTH_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSheet:
    """A sheet whose newest version the national centre has not answered.

    Attributes:
        known_sha256: Content of the version that it took last; ``None`` for none.
    """

    kind: SheetKind
    starts_at: datetime
    revised_at: datetime
    known_sha256: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The national centre answered about a sheet.

    Attributes:
        refusal: Why it does not take this version; ``None`` when it did.
    """

    acceptance: Acceptance | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnswered:
    """It can't be reached, or lets nobody in: the same will be tried again.

    Attributes:
        reason: One word, or the code of its problem.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The national centre does not answer."""

    failures: int
    failed_at: datetime
    next_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushState:
    """How far handing up has come.

    Attributes:
        due: Sheets that wait.
        oldest_due_at: Beginning of the first hour or day that waits; ``None`` for none.
        answered: Sheets that the national centre holds as they are here.
        refused: Sheets that it did not take; they are tried again when they change, or a day later.
        answered_at: When it answered last; ``None`` for never.
    """

    due: int
    oldest_due_at: datetime | None
    answered: int
    refused: int
    answered_at: datetime | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReport:
    """What one run did."""

    stored: int = 0
    unchanged: int = 0
    refused: int = 0
    trouble: str | None = None

    @property
    def sheets(self) -> int:
        """How many sheets are dealt with."""
        return self.stored + self.unchanged + self.refused
