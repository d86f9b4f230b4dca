# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do with messages in quarantine: list, look, try again, drop; all of it is audited.

A message may hold a plate, so its content is personal data: it is shown only for a purpose. One
without a known device belongs to no site and is left to those who see the whole province.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue, Look
from central.db.deferring import PRIORITY_LIVE, Job, defer_async
from central.errors import QuarantinedMessageNotFoundError
from central.identity.permissions import Permission
from central.identity.types import User
from central.ingest.inspection import QuarantineEntry
from central.ingest.repository import QUERIES, RELEASABLE_REASONS

PAGE_SIZE_MAX: Final = 200
NOTE_LENGTH_MAX: Final = 500
CONTENT_BYTES_MAX: Final = 20_000
"""Most bytes of a message that are shown; the whole stays in the database."""

RETRY_TASK: Final = "retry_quarantined"
LOOKED_ACTION: Final = "quarantine_looked_at"
RETRIED_ACTION: Final = "quarantine_retried"
DROPPED_ACTION: Final = "quarantine_dropped"
SUBJECT: Final = "quarantined_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinePage:
    """Open messages, newest first; ``next_before`` leads on, ``None`` at the end."""

    entries: tuple[QuarantineEntry, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedContent:
    """What a message says, as text.

    Attributes:
        is_cut: Whether only its beginning is here.
    """

    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _PayloadRow:
    payload: bytes


class QuarantineService:
    """What a user may do with the quarantine, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, user: User, actor: Actor) -> None:
        self._connection = connection
        self._audit = AuditService(connection)
        self._user = user
        self._actor = actor

    async def entries(
        self, *, reason: str | None, before_id: int | None, size: int
    ) -> QuarantinePage:
        """Open messages without their contents, newest first.

        Args:
            reason: Only with this reason; ``None`` for all.
            before_id: Only with smaller numbers; ``None`` for the newest.
            size: Most messages of the page.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
        """
        self._user.require(Permission.HANDLE_QUARANTINE)
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._select(entry_id=None, reason=reason, before_id=before_id, limit=limit)
        shown = found[:limit]
        return QuarantinePage(
            entries=tuple(shown), next_before=shown[-1].id if len(found) > limit else None
        )

    async def entry(self, entry_id: int) -> QuarantineEntry:
        """One open message without its content.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
            QuarantinedMessageNotFoundError: No open message in the user's scope has this number.
        """
        self._user.require(Permission.HANDLE_QUARANTINE)
        found = await self._select(entry_id=entry_id, reason=None, before_id=None, limit=1)
        if not found:
            raise QuarantinedMessageNotFoundError(entry_id)
        return found[0]

    async def look(self, entry_id: int, look: Look, *, now: datetime) -> QuarantinedContent:
        """What a message says; the look is written down with its purpose.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
            QuarantinedMessageNotFoundError: No open message in the user's scope has this number.
        """
        entry = await self.entry(entry_id)
        async with self._connection.cursor(row_factory=class_row(_PayloadRow)) as cursor:
            await cursor.execute(QUERIES["select_quarantined_payload"], {"entry_id": entry.id})
            row = await cursor.fetchone()
        if row is None:
            raise QuarantinedMessageNotFoundError(entry_id)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=LOOKED_ACTION,
                subject_kind=SUBJECT,
                subject_id=str(entry.id),
                purpose=look.purpose,
                case_reference=look.case_reference,
            )
        )
        return QuarantinedContent(
            text=row.payload[:CONTENT_BYTES_MAX].decode("utf-8", errors="replace"),
            is_cut=len(row.payload) > CONTENT_BYTES_MAX,
        )

    async def retry(self, entry_id: int, *, now: datetime) -> None:
        """Try to store a message again; a job does it a moment after the commit.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
            QuarantinedMessageNotFoundError: There is none, or its reason can't pass.
        """
        entry = await self.entry(entry_id)
        if not may_pass(entry):
            raise QuarantinedMessageNotFoundError(entry_id)
        job = Job(task=RETRY_TASK, arguments={"entry_id": entry.id}, priority=PRIORITY_LIVE)
        await defer_async(self._connection, job)
        await self._record(RETRIED_ACTION, entry, detail={"reason": entry.reason}, now=now)

    async def drop(self, entry_id: int, *, note: str, now: datetime) -> None:
        """Close a message for good; its row stays, with who and why.

        Args:
            entry_id: Which.
            note: Why, for whoever asks later; 1 to 500 characters.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
            QuarantinedMessageNotFoundError: No open message in the user's scope has this number.
            ValueError: The note is empty or too long.
        """
        if not 1 <= len(note.strip()) <= NOTE_LENGTH_MAX:
            raise ValueError("a dropped message needs a reason")
        entry = await self.entry(entry_id)
        cursor = await self._connection.execute(
            QUERIES["drop_quarantined"],
            {
                "entry_id": entry.id,
                "resolved_by": self._actor.name,
                "note": note.strip(),
                "now": now,
            },
        )
        if cursor.rowcount != 1:
            raise QuarantinedMessageNotFoundError(entry_id)
        await self._record(
            DROPPED_ACTION, entry, detail={"reason": entry.reason, "note": note.strip()}, now=now
        )

    async def _select(
        self, *, entry_id: int | None, reason: str | None, before_id: int | None, limit: int
    ) -> Sequence[QuarantineEntry]:
        async with self._connection.cursor(row_factory=class_row(QuarantineEntry)) as cursor:
            await cursor.execute(
                QUERIES["select_quarantine_of"],
                {
                    "scope": self._user.scope.as_list(),
                    "entry_id": entry_id,
                    "reason": reason,
                    "before_id": before_id,
                    "rows_max": limit + 1,
                },
            )
            return await cursor.fetchall()

    async def _record(
        self, action: str, entry: QuarantineEntry, *, detail: dict[str, JsonValue], now: datetime
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=SUBJECT,
                subject_id=str(entry.id),
                detail=detail,
            )
        )


def may_pass(entry: QuarantineEntry) -> bool:
    """Whether trying again can help: the device may be known by now, or the program newer."""
    return entry.reason in {reason.value for reason in RELEASABLE_REASONS}
