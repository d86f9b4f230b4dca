# SPDX-License-Identifier: AGPL-3.0-or-later
"""Limits that hold for all processes together, and after a restart.

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
    """What one address or one key may do so often only."""

    LOOK_UP_DOSSIER = "look_up_dossier"
    READ_REFERENCE = "read_reference"
    GO_TO_PROVIDER = "go_to_provider"
    ASK_BY_KEY = "ask_by_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was got of the tries of a window.

    Attributes:
        granted: How many may be made now; none when the window is used up.
        left: How many are left after these, for everybody.
        began_at: When the window began.
    """

    granted: int
    left: int
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Since when tries are counted, and how many there were."""

    began_at: datetime
    tries: int


class RateService:
    """Counts in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(
        self,
        action: GuardedAction,
        client: str,
        *,
        tries: int,
        tries_max: int,
        window: timedelta,
        now: datetime,
    ) -> Taken:
        """Count some tries of a client in its present window, made or not."""
        async with self._connection.cursor(row_factory=class_row(_Window)) as cursor:
            await cursor.execute(
                QUERIES["count_tries"],
                {
                    "action": action.value,
                    "client": client,
                    "tries": tries,
                    "now": now,
                    "over_before": now - window,
                    "tries_max": tries_max,
                },
            )
            counted = await cursor.fetchone()
        if counted is None:
            raise AssertionError("an upsert that returns nothing")
        left = max(0, tries_max - (counted.tries - tries))
        granted = min(tries, left)
        return Taken(granted=granted, left=left - granted, began_at=counted.began_at)

    async def forget(self, *, before: datetime) -> None:
        """Forget windows that are over."""
        await self._connection.execute(QUERIES["delete_old_rates"], {"before": before})
