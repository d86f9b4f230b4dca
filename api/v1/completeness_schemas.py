# SPDX-License-Identifier: AGPL-3.0-or-later
"""The completeness of a day, as programs read it."""

import datetime as dt
from typing import Final, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.v1.schemas import StrictBody
from central.completeness.statement_rows import KeptStatement
from central.completeness.stating import StatementPage
from central.completeness.types import (
    Account,
    Explanation,
    Gap,
    LedgerPage,
    LedgerRow,
    LossProof,
)

GAPS_MAX: Final = 1000
"""Most gaps of one row; their number is told in full."""


class GapBody(StrictBody):
    """Numbers that are no rows, both ends included, and why."""

    first: int
    last: int
    explanation: Explanation
    loss: LossProof | None = Field(description="What shows that they are lost; only then.")
    since: AwareDatetime | None = Field(
        description="Since when: last heard of, quarantined, or noticed; null for just now."
    )
    quarantine_id: int | None = Field(description="Number of the message in quarantine.")
    reason: str | None = Field(description="Why it is in quarantine.")

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """Describe a gap."""
        return cls(
            first=gap.numbers.first,
            last=gap.numbers.last,
            explanation=gap.explanation,
            loss=gap.loss,
            since=gap.since,
            quarantine_id=gap.quarantine_id,
            reason=gap.reason,
        )


class AccountBody(StrictBody):
    """What one outbox owed and delivered on the day: due = stored + all that the gaps hold."""

    outbox_id: UUID
    first_seq: int | None = Field(description="Lowest number that became due; null for none.")
    last_seq: int | None
    due_count: int
    stored_count: int = Field(description="How many of the numbers due are rows by now.")
    missing_count: int = Field(description="Numbers of which nothing is here.")
    lost_count: int = Field(description="How many of them are lost.")
    quarantined_count: int
    discarded_count: int
    arrived_count: int = Field(description="Messages that became rows on this day.")
    late_count: int
    doubled_count: int
    gap_count: int
    gaps: tuple[GapBody, ...] = Field(description=f"The first {GAPS_MAX} gaps.")

    @classmethod
    def of(cls, account: Account) -> Self:
        """Describe an account."""
        return cls(
            outbox_id=account.outbox_id,
            first_seq=account.due.first if account.due else None,
            last_seq=account.due.last if account.due else None,
            due_count=account.due_count,
            stored_count=account.stored_count,
            missing_count=account.missing_count,
            lost_count=account.count(Explanation.LOST),
            quarantined_count=account.count(Explanation.QUARANTINED),
            discarded_count=account.count(Explanation.DISCARDED),
            arrived_count=account.arrived,
            late_count=account.late,
            doubled_count=account.doubled,
            gap_count=len(account.gaps),
            gaps=tuple(map(GapBody.of, account.gaps[:GAPS_MAX])),
        )


class LedgerRowBody(StrictBody):
    """A device and one of its outboxes on the day."""

    device_id: str
    site_id: str
    site_name: str
    enabled: bool
    silent_since: AwareDatetime | None = Field(
        description="Last heartbeat of a device that is not heard any more; null for one that is."
    )
    unnumbered_count: int = Field(
        description="Its messages of the day in quarantine without a number that can be read."
    )
    account: AccountBody | None = Field(description="Null when nothing came on this day.")

    @classmethod
    def of(cls, row: LedgerRow) -> Self:
        """Describe a row."""
        return cls(
            device_id=row.device_id,
            site_id=row.site_id,
            site_name=row.site_name,
            enabled=row.is_enabled,
            silent_since=row.silent_since,
            unnumbered_count=row.unnumbered,
            account=AccountBody.of(row.account) if row.account is not None else None,
        )


class StatementBody(StrictBody):
    """A statement about a day, without its files."""

    day: dt.date
    revision: int = Field(description="From 1; a later one supersedes an earlier one.")
    made_at: AwareDatetime
    sha256: str = Field(description="Hex SHA-256 of the signed file.")
    signed_by: str | None = Field(description="Name in the certificate; null for not signed.")
    due_count: int
    stored_count: int
    gap_count: int
    url: str

    @classmethod
    def of(cls, kept: KeptStatement) -> Self:
        """Describe a statement."""
        return cls(
            day=kept.day,
            revision=kept.revision,
            made_at=kept.made_at,
            sha256=kept.content_sha256,
            signed_by=kept.signed_by,
            due_count=kept.due_count,
            stored_count=kept.stored_count,
            gap_count=kept.gap_count,
            url=f"/v1/completeness/statements/{kept.day}?revision={kept.revision}",
        )


class StatementPageBody(StrictBody):
    """One page of statements, the newest first."""

    statements: tuple[StatementBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: StatementPage) -> Self:
        """Describe a page."""
        return cls(
            statements=tuple(map(StatementBody.of, page.statements)),
            next_cursor=f"{page.next.day}.{page.next.revision}" if page.next else None,
        )


class LedgerPageBody(StrictBody):
    """One page of a day, by device and outbox."""

    day: dt.date
    rows: tuple[LedgerRowBody, ...]
    next_cursor: str | None = Field(description="Cursor of the next page; null at the end.")

    @classmethod
    def of(cls, page: LedgerPage) -> Self:
        """Describe a page."""
        cursor = f"{page.next.device_id}.{page.next.stream_id}" if page.next else None
        return cls(day=page.day, rows=tuple(map(LedgerRowBody.of, page.rows)), next_cursor=cursor)
