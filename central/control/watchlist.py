# SPDX-License-Identifier: AGPL-3.0-or-later
"""The watchlist: plates that somebody looks for, for a stated reason on a stated legal basis."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue, Personal, about_plate
from central.contracts.passage import PlateColour
from central.control.errors import WatchlistEntryInvalidError, WatchlistEntryNotFoundError
from central.control.types import NOTE_LENGTH_MAX, ListRequest, WatchlistEntryId
from central.control.watchlist_repository import WatchlistRepository
from central.control.watchlist_types import (
    LEGAL_BASIS_LENGTH_MAX,
    EntryState,
    NewWatchlistEntry,
    WatchlistEntry,
    WatchlistPage,
)
from central.domain.plates import PlatePattern, normalise_plate_text
from central.identity.permissions import Permission
from central.identity.types import User
from central.registry.types import PlateKey

_PLATE: Final = re.compile(r"[A-Z0-9]{4,12}")


class WatchlistService:
    """What people can do with the watchlist, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = WatchlistRepository(connection)
        self._audit = AuditService(connection)

    async def entries(
        self,
        state: EntryState,
        plate: PlatePattern | None,
        page: ListRequest,
        *,
        user: User,
        actor: Actor,
        now: datetime,
    ) -> WatchlistPage:
        """One page of the list, newest first; a search for a plate is written down.

        Raises:
            PermissionDeniedError: The user may not see the watchlist.
        """
        user.require(Permission.SEE_WATCHLIST)
        rows = await self._rows.entries(state, plate, page, now=now)
        entries = tuple(rows[: page.size])
        if plate is not None:
            await self._write_down(
                "watchlist_searched",
                "watchlist",
                actor=actor,
                now=now,
                personal=Personal(about=about_plate(plate.text), facts={"searched": plate.text}),
            )
        has_more = len(rows) > page.size
        return WatchlistPage(entries=entries, next=entries[-1].cursor if has_more else None)

    async def holding_for(
        self, plate: PlateKey, *, user: User, now: datetime
    ) -> tuple[WatchlistEntry, ...]:
        """Entries that hold now for a plate that the caller was shown already, oldest first.

        Raises:
            PermissionDeniedError: The user may not see the watchlist.
        """
        user.require(Permission.SEE_WATCHLIST)
        return tuple(
            entry
            for entry in await self._rows.for_plates([plate.text])
            if entry.holds_at(now) and entry.fits(plate.colour)
        )

    async def add(
        self, new: NewWatchlistEntry, *, user: User, actor: Actor, now: datetime
    ) -> WatchlistEntryId:
        """Put a plate on the list. The same plate may stand on it for several reasons.

        Raises:
            PermissionDeniedError: The user may not edit the watchlist.
            WatchlistEntryInvalidError: A part is missing or wrong.
        """
        user.require(Permission.EDIT_WATCHLIST)
        entry = replace(
            new,
            plate_text=normalise_plate_text(new.plate_text),
            note=new.note.strip(),
            legal_basis=new.legal_basis.strip(),
        )
        _check(entry, now=now)
        entry_id = WatchlistEntryId(uuid4())
        await self._rows.add(entry_id, entry, username=user.username, now=now)
        await self._write_down(
            "watchlist_entry_added",
            str(entry_id),
            actor=actor,
            now=now,
            detail={"reason": entry.reason.value, "legal_basis": entry.legal_basis},
            personal=Personal(
                about=about_plate(entry.plate_text), facts={"plate": entry.plate_text}
            ),
        )
        return entry_id

    async def remove(self, entry_id: UUID, *, user: User, actor: Actor, now: datetime) -> None:
        """Take a plate off the list; the entry's history and its alerts stay.

        Raises:
            PermissionDeniedError: The user may not edit the watchlist.
            WatchlistEntryNotFoundError: There is none, or it was removed before.
        """
        user.require(Permission.EDIT_WATCHLIST)
        plate = await self._rows.remove(entry_id, username=user.username, now=now)
        if plate is None:
            raise WatchlistEntryNotFoundError(entry_id)
        await self._write_down(
            "watchlist_entry_removed",
            str(entry_id),
            actor=actor,
            now=now,
            personal=Personal(about=about_plate(plate), facts={"plate": plate}),
        )

    async def _write_down(
        self,
        action: str,
        subject_id: str,
        *,
        actor: Actor,
        now: datetime,
        personal: Personal,
        detail: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write an act on the watchlist into the audit log."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action=action,
                subject_kind="watchlist_entry",
                subject_id=subject_id,
                detail=detail or {},
                personal=personal,
            )
        )


def _check(entry: NewWatchlistEntry, *, now: datetime) -> None:
    """Stop at the first part that is missing or wrong."""
    problems = {
        "plate_text": _PLATE.fullmatch(entry.plate_text) is None,
        "plate_colour": entry.plate_colour is PlateColour.UNKNOWN,
        "legal_basis": not 1 <= len(entry.legal_basis) <= LEGAL_BASIS_LENGTH_MAX,
        "note": len(entry.note) > NOTE_LENGTH_MAX,
        "valid_until": entry.valid_until is not None and entry.valid_until <= now,
    }
    for part, is_wrong in problems.items():
        if is_wrong:
            raise WatchlistEntryInvalidError(part)
