# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at the audit log: not everybody may, and whoever does is in it."""

from datetime import date, datetime
from typing import Final

from psycopg import AsyncConnection

from central.audit.roots import DayRoot
from central.audit.service import AuditService
from central.audit.types import (
    Actor,
    AuditEntry,
    AuditFilter,
    AuditPage,
    ChainState,
    about_licence,
    about_plate,
)
from central.domain.plates import normalise_plate_text
from central.identity.permissions import Permission
from central.identity.types import User

LOOKED_ACTION: Final = "audit_looked_at"
LOG_SUBJECT: Final = "audit_log"
LOG_ID: Final = "audit"


class OversightService:
    """What those see who oversee the others, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, user: User, actor: Actor) -> None:
        self._audit = AuditService(connection)
        self._user = user
        self._actor = actor

    async def entries(
        self, wanted: AuditFilter, *, before_id: int | None, size: int, now: datetime
    ) -> AuditPage:
        """One page of the log, newest first; the look is written into it afterwards.

        Args:
            wanted: What to look for.
            before_id: Only entries with smaller numbers; ``None`` for the newest.
            size: Most entries of the page.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not see the log.
        """
        self._user.require(Permission.SEE_AUDIT)
        page = await self._audit.entries(wanted, before_id=before_id, size=size)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=LOOKED_ACTION,
                subject_kind=LOG_SUBJECT,
                subject_id=LOG_ID,
                detail={
                    "actor": wanted.actor,
                    "action": wanted.action,
                    "subject_kind": wanted.subject_kind,
                    "subject_id": wanted.subject_id,
                    "before_id": before_id,
                    "entries": len(page.entries),
                },
            )
        )
        return page

    async def subject_of(self, entry_id: int) -> tuple[str, str] | None:
        """Kind and id of what an entry is about, so that addresses need not hold them.

        Raises:
            PermissionDeniedError: The user may not see the log.
        """
        self._user.require(Permission.SEE_AUDIT)
        found = await self._audit.entry(entry_id)
        return (found.entry.subject_kind, found.entry.subject_id) if found else None

    async def newest_about(self, *, subject_kind: str, subject_id: str) -> int | None:
        """The number of the newest entry about something; ``None`` when there is none.

        Raises:
            PermissionDeniedError: The user may not see the log.
        """
        self._user.require(Permission.SEE_AUDIT)
        wanted = AuditFilter(subject_kind=subject_kind, subject_id=subject_id)
        page = await self._audit.entries(wanted, before_id=None, size=1)
        if page.entries:
            return page.entries[0].id
        return await self._newest_sealed(subject_kind, subject_id)

    async def _newest_sealed(self, subject_kind: str, text: str) -> int | None:
        """The same for a plate or a licence, in whose place the log holds the id of its key."""
        subjects = (about_plate(normalise_plate_text(text)), about_licence(text))
        for key_id in await self._audit.key_ids_of(subjects):
            wanted = AuditFilter(subject_kind=subject_kind, subject_id=str(key_id))
            page = await self._audit.entries(wanted, before_id=None, size=1)
            if page.entries:
                return page.entries[0].id
        return None

    async def roots(self, *, before: date | None, size: int) -> tuple[DayRoot, ...]:
        """Where the chain stood at the end of each day, newest first.

        Raises:
            PermissionDeniedError: The user may not see the log.
        """
        self._user.require(Permission.SEE_AUDIT)
        return await self._audit.roots(before=before, size=size)

    async def chain_state(self) -> ChainState:
        """How far the log's chain goes, and what its last proof found.

        Raises:
            PermissionDeniedError: The user may not see the log.
        """
        self._user.require(Permission.SEE_AUDIT)
        return await self._audit.chain_state()
