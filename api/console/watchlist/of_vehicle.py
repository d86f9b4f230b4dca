# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the watchlist says about one vehicle's plate (``watchlist/of_vehicle.html``)."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from api.pages.i18n import Speech
from central.control.watchlist import WatchlistService
from central.identity.permissions import Permission
from central.identity.types import User
from central.registry.types import PlateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedView:
    """A reason to look for the plate; ``until`` is ``None`` when it holds until it is removed."""

    reason: str
    legal_basis: str
    note: str
    listed_by: str
    listed_at: str
    until: str | None


async def section(
    connection: AsyncConnection,
    plate: PlateKey | None,
    user: User,
    speech: Speech,
    *,
    now: datetime,
) -> tuple[ListedView, ...] | None:
    """Entries that hold now; ``None`` for those who may not see the watchlist.

    The look at the vehicle was written down before, with its purpose.
    """
    if not user.may(Permission.SEE_WATCHLIST):
        return None
    if plate is None:
        return ()
    entries = await WatchlistService(connection).holding_for(plate, user=user, now=now)
    return tuple(
        ListedView(
            reason=entry.reason,
            legal_basis=entry.legal_basis,
            note=entry.note,
            listed_by=entry.listed_by,
            listed_at=speech.minute_and_date(entry.listed_at),
            until=speech.minute_and_date(entry.valid_until) if entry.valid_until else None,
        )
        for entry in entries
    )
