# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening a list that shows plates or people is a look, too: each leaves a row in the audit log.

Lists ask for no reason, since they are not about one vehicle; what is opened from them, and every
search for a plate, has entries of its own.
"""

from typing import Final

from fastapi import Depends, Request

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from central.audit.service import AuditService
from central.audit.types import AuditEntry


async def record_list_look(
    request: Request, *, acting: ActingDep, connection: Connection, now: Now
) -> None:
    """Write down who opens this list, in the request's transaction: a refused one leaves nothing.

    The address is named as it is declared: what somebody looks for is never in it.
    """
    await AuditService(connection).record(
        AuditEntry(
            occurred_at=now,
            actor=acting.actor,
            action="list_looked_at",
            subject_kind="list",
            subject_id=str(getattr(request.scope.get("route"), "path", "")) or "unknown",
        )
    )


ListLook: Final = Depends(record_list_look, scope="function")
