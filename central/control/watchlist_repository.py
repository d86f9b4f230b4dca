# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the watchlist."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.control.rows import EntryRow
from central.control.types import ListRequest
from central.control.watchlist_types import EntryState, NewWatchlistEntry, WatchlistEntry
from central.db.queries import QueryFile
from central.domain.plates import PlatePattern

QUERIES: Final = QueryFile.beside(__file__)
ENTRIES_OF_PLATES_MAX: Final = 100_000
"""Most entries that hold for the plates of one commit; more would be a list gone wrong."""


class WatchlistRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def for_plates(self, plate_texts: Collection[str]) -> Sequence[WatchlistEntry]:
        """Entries of these texts that nobody has removed, the oldest of each text first."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_entries_for_plates"],
                {"plate_texts": list(plate_texts), "rows_max": ENTRIES_OF_PLATES_MAX},
            )
            return [row.value() for row in await cursor.fetchall()]

    async def add(
        self, entry_id: UUID, new: NewWatchlistEntry, *, username: str, now: datetime
    ) -> None:
        """Put a plate on the list; its text is normalised by now."""
        await self._connection.execute(
            QUERIES["insert_entry"],
            {
                "id": entry_id,
                "plate_text": new.plate_text,
                "plate_colour": new.plate_colour.value if new.plate_colour else None,
                "reason": new.reason.value,
                "note": new.note,
                "legal_basis": new.legal_basis,
                "listed_by": username,
                "now": now,
                "valid_until": new.valid_until,
            },
        )

    async def remove(self, entry_id: UUID, *, username: str, now: datetime) -> str | None:
        """Take an entry off; returns its plate, ``None`` when nothing was there to remove."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["remove_entry"],
                {"entry_id": entry_id, "username": username, "now": now},
            )
            return await cursor.fetchone()

    async def entries(
        self, state: EntryState, plate: PlatePattern | None, page: ListRequest, *, now: datetime
    ) -> Sequence[WatchlistEntry]:
        """One row more than a page has, if there is one."""
        async with self._connection.cursor(row_factory=class_row(EntryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_entries"],
                {
                    "is_holding": state is EntryState.HOLDING,
                    "plate_like": plate.like if plate is not None else None,
                    "now": now,
                    "after_at": page.after.at if page.after else None,
                    "after_id": page.after.id if page.after else None,
                    "rows_max": page.size + 1,
                },
            )
            return [row.value() for row in await cursor.fetchall()]
