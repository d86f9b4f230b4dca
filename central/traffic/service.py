# SPDX-License-Identifier: AGPL-3.0-or-later
"""Traffic over time, for whoever may see the passages behind it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg import AsyncConnection

from central.identity.permissions import Permission
from central.identity.types import User
from central.traffic.repository import TrafficRepository
from central.traffic.types import FlowSlot, Span


class TrafficService:
    """What can be asked about traffic, in the caller's transaction and within the user's scope.

    Everything comes from the counts, which follow the passages by some seconds.
    """

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = TrafficRepository(connection)
        self._user = user

    async def flow(self, span: Span, *, site_id: str | None = None) -> Sequence[FlowSlot]:
        """Every slot of a span in order; one in which nothing passed is there as well.

        Args:
            span: Which time, in which slots.
            site_id: One site only; ``None`` for all that the user may see.

        Raises:
            PermissionDeniedError: The user may not see passages.
        """
        self._user.require(Permission.SEE_PASSAGES)
        scope = self._user.scope
        if site_id is not None:
            scope = scope.narrowed_to(site_id)
        return await self._rows.flow(span, scope)

    async def by_site(self, *, since: datetime) -> Mapping[str, int]:
        """How many passed every site since an aware time; sites without any are left out.

        Raises:
            PermissionDeniedError: The user may not see passages.
        """
        self._user.require(Permission.SEE_PASSAGES)
        counted = await self._rows.by_site(since, self._user.scope)
        return {each.site_id: each.passages for each in counted}
