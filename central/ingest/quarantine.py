# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do with messages in quarantine: list, look, mend, try again, drop; all is audited.

A message may hold a plate, so its content is personal data: it is shown only for a purpose. One
without a known device belongs to no site and is left to those who see the whole province.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue, Look
from central.contracts.message import MAX_MESSAGE_BYTES
from central.contracts.topics import parse_topic
from central.db.deferring import PRIORITY_LIVE, Job, defer_async
from central.domain.scope import SiteScope
from central.errors import MendRefusedError, QuarantinedMessageNotFoundError
from central.identity.permissions import Permission
from central.identity.types import User
from central.ingest.inspection import DeviceCount, QuarantineEntry
from central.ingest.mending import UNMENDABLE, Known, check_mended, propose
from central.ingest.repository import QUERIES

PAGE_SIZE_MAX: Final = 200
DEVICES_COUNTED_MAX: Final = 1000
NOTE_LENGTH_MAX: Final = 500
CONTENT_BYTES_MAX: Final = MAX_MESSAGE_BYTES
"""Most bytes of a message that are shown; the whole stays in the database."""

RETRY_TASK: Final = "retry_quarantined"
LOOKED_ACTION: Final = "quarantine_looked_at"
RETRIED_ACTION: Final = "quarantine_retried"
DROPPED_ACTION: Final = "quarantine_dropped"
MENDED_ACTION: Final = "quarantine_mended"
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
        proposal: What could take its place: what was mended before, or the message as the version
            that the centre knows; ``None`` for nothing.
    """

    text: str
    is_cut: bool
    proposal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _PayloadRow(Known):
    payload: bytes = field(repr=False)
    mended_payload: bytes | None = field(repr=False)


class QuarantineService:
    """What may be done with the quarantine within a scope, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, scope: SiteScope, actor: Actor) -> None:
        self._connection = connection
        self._audit = AuditService(connection)
        self._scope = scope
        self._actor = actor

    @classmethod
    def of_user(cls, connection: AsyncConnection, *, user: User, actor: Actor) -> Self:
        """The quarantine as a user may deal with it.

        Raises:
            PermissionDeniedError: The user may not deal with the quarantine.
        """
        user.require(Permission.HANDLE_QUARANTINE)
        return cls(connection, scope=user.scope, actor=actor)

    async def entries(
        self, *, reason: str | None, device_id: str | None, before_id: int | None, size: int
    ) -> QuarantinePage:
        """Open messages without their contents, newest first.

        Args:
            reason: Only with this reason; ``None`` for all.
            device_id: Only of this device; ``None`` for all.
            before_id: Only with smaller numbers; ``None`` for the newest.
            size: Most messages of the page.
        """
        limit = min(size, PAGE_SIZE_MAX)
        found = await self._select(
            entry_id=None, reason=reason, device_id=device_id, before_id=before_id, limit=limit
        )
        shown = found[:limit]
        return QuarantinePage(
            entries=tuple(shown), next_before=shown[-1].id if len(found) > limit else None
        )

    async def counts(self) -> Sequence[DeviceCount]:
        """Open messages by device, the most first."""
        async with self._connection.cursor(row_factory=class_row(DeviceCount)) as cursor:
            await cursor.execute(
                QUERIES["count_quarantine_by_device"],
                {"scope": self._scope.as_list(), "rows_max": DEVICES_COUNTED_MAX},
            )
            return await cursor.fetchall()

    async def entry(self, entry_id: int) -> QuarantineEntry:
        """One open message without its content.

        Raises:
            QuarantinedMessageNotFoundError: No open message in the scope has this number.
        """
        found = await self._select(
            entry_id=entry_id, reason=None, device_id=None, before_id=None, limit=1
        )
        if not found:
            raise QuarantinedMessageNotFoundError(entry_id)
        return found[0]

    async def look(self, entry_id: int, look: Look, *, now: datetime) -> QuarantinedContent:
        """What a message says; the look is written down with its purpose.

        Raises:
            QuarantinedMessageNotFoundError: No open message in the scope has this number.
        """
        entry = await self.entry(entry_id)
        row = await self._payload(entry)
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
        proposal = row.mended_payload or _proposal(row)
        return QuarantinedContent(
            text=row.payload[:CONTENT_BYTES_MAX].decode("utf-8", errors="replace"),
            is_cut=len(row.payload) > CONTENT_BYTES_MAX,
            proposal=proposal.decode("utf-8", errors="replace") if proposal else None,
        )

    async def mend(self, entry_id: int, payload: bytes, *, note: str, now: datetime) -> None:
        """Keep what shall be stored in a message's place; the message stays as it came.

        Args:
            entry_id: Which.
            payload: JSON that keeps the contract of the message's topic, of the same event.
            note: What was mended, for whoever asks later; 1 to 500 characters.
            now: Aware time.

        Raises:
            QuarantinedMessageNotFoundError: No open message in the scope has this number.
            MendRefusedError: The payload can't take the message's place.
            ValueError: The note is empty or too long.
        """
        said = _checked_note(note)
        entry = await self.entry(entry_id)
        row = await self._payload(entry)
        named = check_mended(row, payload)
        if isinstance(named, str):
            raise MendRefusedError(named)
        cursor = await self._connection.execute(
            QUERIES["mend_quarantined"],
            {
                "entry_id": entry.id,
                "payload": payload,
                "mended_by": self._actor.name,
                "note": said,
                "event_id": named.event_id,
                "outbox_id": named.stream.outbox_id,
                "seq": named.seq,
                "device_id": named.stream.device_id,
                "now": now,
            },
        )
        if cursor.rowcount != 1:
            raise MendRefusedError("its number came already")
        hashes: dict[str, JsonValue] = {
            "sha256_before": hashlib.sha256(row.payload).hexdigest(),
            "sha256_after": hashlib.sha256(payload).hexdigest(),
        }
        detail = {"reason": entry.reason, "note": said, **hashes}
        await self._record(MENDED_ACTION, entry, detail=detail, now=now)

    async def propose(self, entry_id: int) -> bytes:
        """A message of another version as the version that the centre knows.

        Raises:
            QuarantinedMessageNotFoundError: No open message in the scope has this number.
            MendRefusedError: It can't be read as the known version.
        """
        proposal = _proposal(await self._payload(await self.entry(entry_id)))
        if proposal is None:
            raise MendRefusedError("it can't be read as the version that is known here")
        return proposal

    async def retry(self, entry_id: int, *, now: datetime) -> None:
        """Try to store a message again; a job does it a moment after the commit.

        Raises:
            QuarantinedMessageNotFoundError: There is none, or its reason can't pass.
        """
        await self.note_retry(entry_id, now=now)
        job = Job(task=RETRY_TASK, arguments={"entry_id": entry_id}, priority=PRIORITY_LIVE)
        await defer_async(self._connection, job)

    async def note_retry(self, entry_id: int, *, now: datetime) -> None:
        """Write down that a message is tried again by whoever calls.

        Raises:
            QuarantinedMessageNotFoundError: There is none, or its reason can't pass.
        """
        entry = await self.entry(entry_id)
        if not entry.may_pass:
            raise QuarantinedMessageNotFoundError(entry_id)
        await self._record(RETRIED_ACTION, entry, detail={"reason": entry.reason}, now=now)

    async def drop(self, entry_id: int, *, note: str, now: datetime) -> None:
        """Close a message for good; its row stays, with who and why.

        Args:
            entry_id: Which.
            note: Why, for whoever asks later; 1 to 500 characters.
            now: Aware time.

        Raises:
            QuarantinedMessageNotFoundError: No open message in the scope has this number.
            ValueError: The note is empty or too long.
        """
        said = _checked_note(note)
        entry = await self.entry(entry_id)
        cursor = await self._connection.execute(
            QUERIES["drop_quarantined"],
            {"entry_id": entry.id, "resolved_by": self._actor.name, "note": said, "now": now},
        )
        if cursor.rowcount != 1:
            raise QuarantinedMessageNotFoundError(entry_id)
        detail: dict[str, JsonValue] = {"reason": entry.reason, "note": said}
        await self._record(DROPPED_ACTION, entry, detail=detail, now=now)

    async def _payload(self, entry: QuarantineEntry) -> _PayloadRow:
        async with self._connection.cursor(row_factory=class_row(_PayloadRow)) as cursor:
            await cursor.execute(QUERIES["select_quarantined_payload"], {"entry_id": entry.id})
            row = await cursor.fetchone()
        if row is None:
            raise QuarantinedMessageNotFoundError(entry.id)
        return row

    async def _select(
        self,
        *,
        entry_id: int | None,
        reason: str | None,
        device_id: str | None,
        before_id: int | None,
        limit: int,
    ) -> Sequence[QuarantineEntry]:
        async with self._connection.cursor(row_factory=class_row(QuarantineEntry)) as cursor:
            await cursor.execute(
                QUERIES["select_quarantine_of"],
                {
                    "scope": self._scope.as_list(),
                    "entry_id": entry_id,
                    "reason": reason,
                    "device_id": device_id,
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


def _checked_note(note: str) -> str:
    """A note without space around it.

    Raises:
        ValueError: It is empty or too long.
    """
    said = note.strip()
    if not 1 <= len(said) <= NOTE_LENGTH_MAX:
        raise ValueError("a change of the quarantine needs a reason")
    return said


def _proposal(row: _PayloadRow) -> bytes | None:
    """The message as the version that the centre knows; ``None`` for nothing to propose."""
    if row.reason in UNMENDABLE:
        return None
    try:
        return propose(parse_topic(row.topic).stream, row.payload)
    except ValueError:
        return None
