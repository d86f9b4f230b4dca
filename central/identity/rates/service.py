# SPDX-License-Identifier: AGPL-3.0-or-later
"""Limits that guard secrets: they hold for all processes together, and after a restart.

The caller commits the count before it looks: what is refused afterwards was a try all the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import class_row

from central.db.queries import QueryFile

QUERIES: Final = QueryFile.beside(__file__)
MEMORY: Final = timedelta(hours=1)
"""How long a window is remembered; longer than any of them."""


class GuardedAction(StrEnum):
    """What strangers may try so often only."""

    LOOK_UP_DOSSIER = "look_up_dossier"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Since when tries are counted, and how many there were."""

    began_at: datetime
    tries: int


class RateService:
    """Counts in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wait_after(
        self,
        action: GuardedAction,
        client: str,
        *,
        tries_max: int,
        window: timedelta,
        now: datetime,
    ) -> timedelta | None:
        """Count one try; how long to wait when it is one too many, ``None`` when it is fine."""
        async with self._connection.cursor(row_factory=class_row(_Window)) as cursor:
            await cursor.execute(
                QUERIES["count_try"],
                {
                    "action": action.value,
                    "client": client,
                    "now": now,
                    "over_before": now - window,
                    "tries_max": tries_max,
                },
            )
            counted = await cursor.fetchone()
        if counted is None or counted.tries <= tries_max:
            return None
        return max(counted.began_at + window - now, timedelta(0))

    async def forget(self, *, before: datetime) -> None:
        """Forget windows that are over."""
        await self._connection.execute(QUERIES["delete_old_rates"], {"before": before})
