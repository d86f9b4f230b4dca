# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking in, finding and erasing evidence pictures."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.domain.scope import SiteScope
from central.errors import EvidenceNotFoundError
from central.evidence.repository import EvidenceRepository
from central.evidence.store import EvidenceStore
from central.evidence.types import Purpose, Reception, StoredPicture

KEEP_DEFAULT: Final = timedelta(days=400)
"""How long a picture is kept at the most whose passage nobody judges: longer than any passage waits
for that. Judging sets its date by purpose."""

ERASE_BATCH_MAX: Final = 500


class EvidenceService:
    """What can be done with pictures, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, store: EvidenceStore) -> None:
        self._rows = EvidenceRepository(connection)
        self._store = store
        self._audit = AuditService(connection)

    async def receive(
        self,
        *,
        sha256: str,
        body: bytes,
        device_id: str,
        now: datetime,
        keep: timedelta = KEEP_DEFAULT,
    ) -> Reception:
        """Store a picture that a device sent. The file is durable before its row is written.

        Args:
            sha256: Hex digest that the device announced.
            body: The JPEG's bytes.
            device_id: The authenticated device.
            now: Aware time of reception.
            keep: How long the picture may be kept.

        Raises:
            EvidenceError: The bytes are too many, no JPEG, or have another hash.
        """
        await asyncio.to_thread(self._store.put, sha256, body)
        is_new = await self._rows.add(
            sha256=sha256,
            device_id=device_id,
            size_bytes=len(body),
            purpose=Purpose.PASSAGE,
            now=now,
            erase_after=now + keep,
        )
        return Reception.CREATED if is_new else Reception.ALREADY_THERE

    async def find(self, sha256: str, scope: SiteScope) -> StoredPicture:
        """Where a picture is.

        Raises:
            EvidenceNotFoundError: It is unknown, erased, or outside the caller's scope.
        """
        path = self._store.path_of(sha256)
        row = await self._rows.get(sha256, scope)
        if row is None or not await asyncio.to_thread(path.is_file):
            raise EvidenceNotFoundError(sha256)
        return StoredPicture(
            sha256=row.sha256,
            path=path,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            site_id=row.site_id,
            stored_at=row.stored_at,
            erase_after=row.erase_after,
        )

    async def look_at(
        self, sha256: str, scope: SiteScope, *, actor: Actor, now: datetime
    ) -> StoredPicture:
        """A picture for an official's eye; the look is written down.

        Raises:
            EvidenceNotFoundError: It is unknown, erased, or outside the caller's scope.
        """
        found = await self.find(sha256, scope)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="picture_looked_at",
                subject_kind="picture",
                subject_id=sha256,
            )
        )
        return found

    async def show(self, sha256: str, scope: SiteScope, *, actor: Actor, now: datetime) -> bytes:
        """A picture's copy for an official's eye, its pixels only; the look is written down.

        Raises:
            EvidenceNotFoundError: It is unknown, erased, or outside the caller's scope.
            EvidenceNotAnImageError: The stored file is no picture that can be drawn.
        """
        picture = await self.look_at(sha256, scope, actor=actor, now=now)
        return await asyncio.to_thread(self._store.shown, picture.sha256)

    async def erase_due(self, *, now: datetime, limit: int = ERASE_BATCH_MAX) -> int:
        """Erase pictures whose date has passed and return how many.

        The files go first: after a crash in between, the next run finds the rows again.
        """
        due = await self._rows.lock_due(now=now, limit=limit)
        for sha256 in due:
            await asyncio.to_thread(self._store.erase, sha256)
        if due:
            await self._rows.remove(due)
        return len(due)
