# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the audit log."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from central.audit.types import AuditEntry
from central.db.queries import QueryFile

QUERIES: Final = QueryFile.beside(__file__)


class AuditRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> int:
        """Write one act down; returns its number."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["insert_entry"],
                {
                    "occurred_at": entry.occurred_at,
                    "actor_kind": entry.actor.kind,
                    "actor": entry.actor.name,
                    "actor_role": entry.actor.role,
                    "action": entry.action,
                    "outcome": entry.outcome,
                    "subject_kind": entry.subject_kind,
                    "subject_id": entry.subject_id,
                    "purpose": entry.purpose,
                    "case_reference": entry.case_reference,
                    "request_id": entry.actor.request_id,
                    "detail": Jsonb(dict(entry.detail)),
                },
            )
            number = await cursor.fetchone()
        return int(number or 0)
