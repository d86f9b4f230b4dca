# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing into the audit log, and proving that nothing in it was changed."""

from psycopg import AsyncConnection

from central.audit.repository import AuditRepository
from central.audit.types import AuditEntry


class AuditService:
    """What can be done with the audit log, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = AuditRepository(connection)

    async def record(self, entry: AuditEntry) -> None:
        """Write one act down; it is kept if, and only if, the act is."""
        await self._rows.add(entry)
