# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of evidence pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.scope import SiteScope
from central.evidence.types import Purpose

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """What the database knows of a picture."""

    sha256: str
    media_type: str
    size_bytes: int
    site_id: str
    stored_at: datetime
    erase_after: datetime


class EvidenceRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(
        self,
        *,
        sha256: str,
        device_id: str,
        size_bytes: int,
        purpose: Purpose,
        now: datetime,
        erase_after: datetime,
    ) -> bool:
        """Record a picture; ``False`` when it is already recorded."""
        cursor = await self._connection.execute(
            QUERIES["insert_evidence"],
            {
                "sha256": sha256,
                "device_id": device_id,
                "size_bytes": size_bytes,
                "purpose": purpose.value,
                "now": now,
                "erase_after": erase_after,
            },
        )
        return cursor.rowcount == 1

    async def get(self, sha256: str, scope: SiteScope) -> EvidenceRow | None:
        """A recorded picture within a scope."""
        async with self._connection.cursor(row_factory=class_row(EvidenceRow)) as cursor:
            await cursor.execute(
                QUERIES["select_evidence"], {"sha256": sha256, "scope": scope.as_list()}
            )
            return await cursor.fetchone()

    async def lock_due(self, *, now: datetime, limit: int) -> Sequence[str]:
        """Hashes of at most ``limit`` pictures that must be erased, locked until the commit."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["lock_due_evidence"], {"now": now, "rows_max": limit})
            return await cursor.fetchall()

    async def remove(self, sha256s: Sequence[str]) -> None:
        """Forget pictures whose files are gone."""
        await self._connection.execute(QUERIES["delete_evidence"], {"sha256s": list(sha256s)})
