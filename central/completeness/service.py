# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ledger of a day: what devices numbered, what became rows, and why the rest did not."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from psycopg import AsyncConnection

from central.completeness.explaining import explained, is_heard
from central.completeness.repository import CompletenessRepository
from central.completeness.types import (
    PAGE_SIZE_MAX,
    Account,
    Held,
    LedgerCursor,
    LedgerPage,
    LedgerRow,
    NotedGap,
    StreamDay,
)
from central.domain.scope import SiteScope
from central.domain.sequences import FIRST_SEQ, SeqRange, SeqSet
from central.identity.permissions import Permission
from central.identity.types import User

NOTHING: Final = SeqSet()


class CompletenessService:
    """What a user may know of the completeness of days, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, user: User) -> None:
        self._rows = CompletenessRepository(connection)
        self._user = user

    async def day(
        self, day: date, *, after: LedgerCursor | None, size: int, now: datetime
    ) -> LedgerPage:
        """One page of a day's ledger, by device and outbox.

        Args:
            day: In Vietnam.
            after: Where to go on; ``None`` for the first page.
            size: Most rows of the page.
            now: Aware time.

        Raises:
            PermissionDeniedError: The user may not see devices.
        """
        self._user.require(Permission.SEE_DEVICES)
        return await read_ledger(self._rows, self._user.scope, day, after=after, size=size, now=now)


async def read_ledger(
    rows: CompletenessRepository,
    scope: SiteScope,
    day: date,
    *,
    after: LedgerCursor | None,
    size: int,
    now: datetime,
) -> LedgerPage:
    """One page of a day's ledger for some scope; whoever calls answers for the permission."""
    limit = min(size, PAGE_SIZE_MAX)
    found = await rows.ledger(scope, day, device_id=None, after=after, limit=limit + 1)
    shown = found[:limit]
    held_back = await rows.held_back(shown)
    noted = await rows.noted([each.stream_id for each in shown if each.facts is not None])
    return LedgerPage(
        day=day,
        rows=tuple(
            _ledger_row(
                each,
                held_back=held_back.get(each.stream_id, ()),
                noted=noted.get(each.stream_id, ()),
                now=now,
            )
            for each in shown
        ),
        next=(
            LedgerCursor(device_id=shown[-1].device_id, stream_id=shown[-1].stream_id)
            if len(found) > limit
            else None
        ),
    )


def _ledger_row(
    day: StreamDay, *, held_back: Sequence[Held], noted: Sequence[NotedGap], now: datetime
) -> LedgerRow:
    heard = is_heard(day.told, now=now)
    return LedgerRow(
        device_id=day.device_id,
        site_id=day.site_id,
        site_name=day.site_name,
        is_enabled=day.is_enabled,
        is_heard=heard,
        silent_since=day.told.heard_at if day.told is not None and not heard else None,
        unnumbered=day.unnumbered,
        account=_account(day, held_back=held_back, noted=noted, now=now),
    )


def _account(
    day: StreamDay, *, held_back: Sequence[Held], noted: Sequence[NotedGap], now: datetime
) -> Account | None:
    if day.facts is None:
        return None
    missing = _missing(day.held, day.due)
    return Account(
        outbox_id=day.facts.outbox_id,
        due=day.due,
        gaps=explained(missing, held_back, day.facts, noted, now=now),
        arrived=day.arrived,
        late=day.late,
        doubled=day.doubled,
    )


def _missing(held: SeqSet, due: SeqRange | None) -> SeqSet:
    """Numbers of a range that are not held."""
    if due is None:
        return NOTHING
    below = SeqSet() if due.first == FIRST_SEQ else _up_to(due.first - 1)
    return SeqSet(ranges=held.union(below).missing(up_to=due.last))


def _up_to(last: int) -> SeqSet:
    return SeqSet(ranges=(SeqRange(first=FIRST_SEQ, last=last),))
