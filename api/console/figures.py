# SPDX-License-Identifier: AGPL-3.0-or-later
"""Today's traffic and that of a week ago, read once for every console that shows the same sites."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.deps.request import Process
from api.deps.transactions import transaction
from central.domain.local_time import local_date, start_of_local_day
from central.identity.permissions import Permission
from central.identity.types import User
from central.traffic.service import TrafficService
from central.traffic.types import FlowSlot, Span

SLOT: Final = timedelta(minutes=15)
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)

KEEP: Final = timedelta(seconds=60)
"""How long figures are shown before they are read again. Higher: older numbers, less work for the
database when many consoles are open."""

ENTRIES_MAX: Final = 100
"""Most sets of sites whose figures are kept at once; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A day in slots, and how many passed in the same slots a week before."""

    span: Span
    today: Sequence[FlowSlot]
    week_before: Mapping[datetime, int]


class FiguresShelf:
    """Figures by sites; lives in one process and one event loop."""

    def __init__(self) -> None:
        self._entries: OrderedDict[frozenset[str] | None, tuple[datetime, Figures]] = OrderedDict()
        self._reading = asyncio.Lock()

    async def figures(self, process: Process, *, user: User, now: datetime) -> Figures:
        """Today's figures of the user's sites, at most a minute old.

        Raises:
            PermissionDeniedError: The user may not see passages.
            CentralUnavailableError: The database can't be reached.
        """
        user.require(Permission.SEE_PASSAGES)
        key = user.scope.site_ids
        async with self._reading:  # whoever comes meanwhile finds what the first one read
            kept = self._entries.get(key)
            if kept is None or not kept[0] <= now < kept[0] + KEEP:
                kept = now, await _read(process, user=user, now=now)
                self._entries[key] = kept
                self._entries.move_to_end(key)
                while len(self._entries) > ENTRIES_MAX:
                    self._entries.popitem(last=False)
        return kept[1]


async def _read(process: Process, *, user: User, now: datetime) -> Figures:
    since = start_of_local_day(local_date(now))
    span = Span(since=since, until=since + DAY, slot=SLOT)
    async with transaction(process) as connection:
        traffic = TrafficService(connection, user=user)
        today = await traffic.flow(span)
        before = await traffic.flow(span.before(WEEK))
    return Figures(
        span=span,
        today=today,
        week_before={each.starts_at + WEEK: each.passages for each in before},
    )
