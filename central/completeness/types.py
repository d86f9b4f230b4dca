# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values of the completeness ledger."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from central.domain.sequences import SeqRange, SeqSet

PAGE_SIZE_MAX: Final = 200
FIRST_DAY: Final = date(2020, 1, 1)
"""No device numbered anything before."""

LAST_DAY: Final = date(2199, 12, 31)


class Explanation(StrEnum):
    """Why numbers are no rows."""

    IN_OUTBOX = "in_outbox"
    OFFLINE = "offline"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"
    LOST = "lost"


class LossProof(StrEnum):
    """Why numbers count as lost."""

    FORGOTTEN = "forgotten"
    REPLACED = "outbox_replaced"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a device's newest heartbeat says about its outbox.

    Attributes:
        outbox_id: Outbox that the device has now.
        last_seq: Last number that it gave; ``None`` when a newer device says it otherwise.
        events: How many of its last events wait in it.
        heard_at: When the heartbeat came.
        is_silent: Whether heartbeats have stopped since.
    """

    outbox_id: UUID
    last_seq: int | None
    events: int
    heard_at: datetime
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFacts:
    """What the centre knows of one life of a device's outbox.

    Attributes:
        told: Newest heartbeat of its device, maybe about a later outbox; ``None`` for never.
    """

    outbox_id: UUID
    first_received_at: datetime
    last_received_at: datetime
    told: Told | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedGap:
    """Numbers that were missing when the centre noticed it.

    Attributes:
        is_overdue: Whether they waited for longer than an outbox may keep them.
    """

    numbers: SeqRange
    noticed_at: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers that are no rows, and why.

    Attributes:
        since: Since when it is so: last heard of, quarantined, or noticed; ``None`` for just now.
        loss: What shows that they are lost; only then.
        quarantine_id: Number of the message in quarantine; only then.
        reason: Why it is in quarantine; only then.
    """

    numbers: SeqRange
    explanation: Explanation
    since: datetime | None = None
    loss: LossProof | None = None
    quarantine_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A message in quarantine, or dropped out of it, that carries a number."""

    id: int
    seq: int
    reason: str
    is_dropped: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one outbox owed and delivered on one local day.

    Attributes:
        due: Numbers that became due on the day: those after the highest of earlier days, up to
            the highest of the day; on its last day, up to the highest that it announced.
        gaps: Numbers of ``due`` that are no rows by now, ascending.
        arrived: Messages that became rows on the day, whatever day their numbers were due.
        late: How many of them had waited in the device.
        doubled: Messages that came again and were not stored again.
    """

    outbox_id: UUID
    due: SeqRange | None
    gaps: tuple[Gap, ...]
    arrived: int
    late: int
    doubled: int

    @property
    def due_count(self) -> int:
        """How many numbers became due."""
        return len(self.due) if self.due is not None else 0

    @property
    def stored_count(self) -> int:
        """How many of them are rows by now."""
        return self.due_count - self.count()

    @property
    def missing_count(self) -> int:
        """How many of them never came: no row, and no message in quarantine."""
        return self.count(Explanation.IN_OUTBOX, Explanation.OFFLINE, Explanation.LOST)

    def count(self, *explanations: Explanation) -> int:
        """How many numbers of the gaps have one of these explanations; without any, of all."""
        return sum(
            len(gap.numbers)
            for gap in self.gaps
            if not explanations or gap.explanation in explanations
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A device and one of its outboxes on one day.

    Attributes:
        silent_since: Last heartbeat of a device that is not heard any more; ``None`` for one that
            is, and for one that never sent any.
        is_heard: Whether heartbeats come at present.
        unnumbered: Its messages of the day in quarantine that carry no number that can be read.
        account: ``None`` when nothing came from the device on this day.
    """

    device_id: str
    site_id: str
    site_name: str
    is_enabled: bool
    is_heard: bool
    silent_since: datetime | None
    unnumbered: int
    account: Account | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCursor:
    """A place in a day's ledger; ``stream_id`` is 0 for a device without an outbox."""

    device_id: str
    stream_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """A day's rows by device and outbox; ``next`` leads on, ``None`` at the end."""

    day: date
    rows: tuple[LedgerRow, ...]
    next: LedgerCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDay:
    """A device and one of its outboxes on one day, as the database gives it.

    Attributes:
        stream_id: 0 for a device without an outbox on the day.
        held: Numbers of ``due`` that are committed, as rows or in quarantine.
    """

    device_id: str
    site_id: str
    site_name: str
    is_enabled: bool
    told: Told | None
    unnumbered: int
    stream_id: int
    facts: OutboxFacts | None
    due: SeqRange | None
    held: SeqSet
    arrived: int
    late: int
    doubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGap:
    """What is left of a gap that was noticed, with what is known of its outbox."""

    stream_id: int
    device_id: str
    site_id: str
    first_seq: int
    noticed_at: datetime
    missing: SeqSet
    facts: OutboxFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueDevice:
    """A device with gaps that raise the alarm."""

    device_id: str
    site_id: str
    numbers: int
    since: datetime
