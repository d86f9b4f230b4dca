# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ends the ids of events (``passage_identity``) once they keep nothing from being stored twice.

An id does two things: it is claimed once, so that an event is stored once, and a passage or tag
read is found by it. It goes when both are over: its row is gone or was never looked for by id, and
it is a day older than the oldest time that ingest admits, of recordings that of recordings. Why
nothing can be stored twice then:

- The number of the same event is still held by its outbox's account (``device_stream.held``), which
  has no end: whether it comes late, from a device that was put back to an old state, under a later
  time or after the limit was raised, ingest tells that the number is in use. It can't know any more
  by which event, so the message goes to quarantine with that reason, which lets nothing out.
- Under a number that was never used, as in a new outbox of the device, it says the same time, so
  ingest calls it too old. (Outboxes give ids and numbers together, so none should do that.)
- What is let out of quarantine is admitted by the same limits, and is claimed or found again within
  the transaction that closes its entry; an entry that is closed lets nothing out.
- Notices, incidents and minutes stay after their ids: nothing looks for them by id.

Live events and recordings are walked through in order of time, each instant once: rows that stay
for their purpose are not looked at again. Their ids go in the transaction that erases them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from central.domain.times import TimeLimits
from central.protection.keeping.repository import QUERIES

IDS_AT_ONCE: Final = 10_000
"""Ids that one transaction looks at; of one instant all. Higher: fewer commits, longer ones."""
MARGIN: Final = timedelta(days=1)
"""How much longer than ingest admits an id is kept: clocks of two servers, and what runs beside."""
_INSTANT: Final = timedelta(microseconds=1)

Ends = Mapping[bool, datetime]


def ends_of(limits: TimeLimits, *, now: datetime) -> Ends:
    """Before which time of capture ids are of no use: of recordings (true), of live events."""
    return {True: now - limits.recording_age_max - MARGIN, False: now - limits.age_max - MARGIN}


class EventIds:
    """The ids of events, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection, *, limits: TimeLimits) -> None:
        self._connection = connection
        self._limits = limits

    async def forget_judged(self, *, now: datetime) -> None:
        """Erase ids of rows that go, in the transaction in which their span was judged."""
        ends = ends_of(self._limits, now=now)
        await self._connection.execute(
            QUERIES["forget_judged_ids"],
            {"now": now, "recordings_end": ends[True], "live_end": ends[False]},
        )

    async def forget_some(
        self, *, is_recording: bool, now: datetime, ids_max: int = IDS_AT_ONCE
    ) -> int | None:
        """Look at the next ids in order of time and erase those that are of no use.

        Args:
            is_recording: Of recordings, or of live events.
            now: The centre's clock.
            ids_max: How many are looked at, at least; more where they are of one instant.

        Returns:
            How many went; ``None`` when there is none left to look at.
        """
        end = ends_of(self._limits, now=now)[is_recording]
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            where = {"is_recording": is_recording, "end_at": end}
            await cursor.execute(QUERIES["draw_id_walk_back"], where)
            await cursor.execute(QUERIES["start_id_walk"], where)
            since = await cursor.fetchone()
            if since is None:
                return None
            await cursor.execute(
                QUERIES["select_walk_stop"], {"since": since, "end_at": end, "ids_max": ids_max}
            )
            stop = max(await cursor.fetchone() or end, since + _INSTANT)
            walked = {"is_recording": is_recording, "since": since, "until": stop}
            await cursor.execute(QUERIES["forget_walked_ids"], walked)
            erased = cursor.rowcount
            await cursor.execute(QUERIES["note_id_walk"], walked)
        return erased
