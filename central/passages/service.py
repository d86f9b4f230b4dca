# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searching passages, looking at one, and following new ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import SEALED, Actor, AuditEntry, Personal, about_plate
from central.db.deadlines import answered_within
from central.domain.plates import PlatePattern
from central.domain.scope import SiteScope
from central.errors import PassageNotFoundError
from central.passages.repository import PassageRepository
from central.passages.types import (
    FeedPage,
    PageRequest,
    Passage,
    PassageCount,
    PassageFilter,
    PassagePage,
    PassageSummary,
)

FEED_CHANNEL: Final = "passage_stored"
"""PostgreSQL notification sent with every commit of passages; its payload is the position."""

FEED_ENTRIES_MAX: Final = 50
FEED_PASSAGES_MAX: Final = 500
"""A feed page ends after the commit that reaches this many passages."""

SEARCH_TIME_MAX: Final = timedelta(seconds=5)
"""A search that takes longer is too wide. Higher: rare plates are found in wider spans of time, and
a few such searches keep everybody else waiting."""

COUNT_MAX: Final = 10_000
"""Counting stops here: an exact number above it is worth less than the time it takes."""


RECENT: Final = timedelta(days=1)
"""Searches that begin later read few rows. Higher: more of them stay at the primary."""


def is_heavy(wanted: PassageFilter, page: PageRequest, *, now: datetime) -> bool:
    """Whether a search may read far: for a plate, on older pages, or in older days."""
    begins_at = wanted.captured_from
    return (
        wanted.plate is not None
        or page.after is not None
        or wanted.captured_until is not None
        or (begins_at is not None and begins_at < now - RECENT)
    )


class PassageService:
    """What can be done with passages, in the caller's transaction.

    Args:
        connection: A connection whose transaction belongs to the caller.
        search_time: Longest time that a search, or counting what fits, may take.
    """

    def __init__(
        self, connection: AsyncConnection, *, search_time: timedelta = SEARCH_TIME_MAX
    ) -> None:
        self._connection = connection
        self._search_time = search_time
        self._rows = PassageRepository(connection)
        self._audit = AuditService(connection)

    def on(self, connection: AsyncConnection) -> "PassageService":
        """The same on another connection, such as a replica's."""
        return PassageService(connection, search_time=self._search_time)

    async def search(
        self, wanted: PassageFilter, page: PageRequest, *, scope: SiteScope, now: datetime
    ) -> PassagePage:
        """One page of the passages that fit a filter, newest first.

        Raises:
            SearchTooWideError: It took too long.
        """
        async with answered_within(self._connection, self._search_time):
            return await self._rows.search(wanted, page, scope, now=now)

    async def count(self, wanted: PassageFilter, *, scope: SiteScope) -> PassageCount:
        """How many passages fit a filter; counts up to ``COUNT_MAX``.

        Raises:
            SearchTooWideError: It took too long.
        """
        async with answered_within(self._connection, self._search_time):
            counted = await self._rows.count(wanted, scope, limit=COUNT_MAX + 1)
        return PassageCount(count=min(counted, COUNT_MAX), is_at_least=counted > COUNT_MAX)

    async def note_search(self, pattern: PlatePattern, *, actor: Actor, now: datetime) -> None:
        """Write down that somebody searches passages for a plate; the caller then does."""
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="passages_searched",
                subject_kind="passage_search",
                subject_id=SEALED,
                personal=Personal(about=about_plate(pattern.text), facts={"plate": pattern.text}),
            )
        )

    async def look_at(
        self, passage_id: UUID, *, scope: SiteScope, actor: Actor, now: datetime
    ) -> Passage:
        """One passage for an official's eye; the look is written down.

        Raises:
            PassageNotFoundError: It does not exist, or lies outside the caller's scope.
        """
        found = await self.get(passage_id, scope=scope)
        text = found.summary.plate_text
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=actor,
                action="passage_looked_up",
                subject_kind="passage",
                subject_id=str(passage_id),
                personal=Personal(about=about_plate(text)) if text else None,
            )
        )
        return found

    async def get(self, passage_id: UUID, *, scope: SiteScope) -> Passage:
        """One passage with everything that the device told.

        Raises:
            PassageNotFoundError: It does not exist, or lies outside the caller's scope.
        """
        found = await self._rows.get(passage_id, scope)
        if found is None:
            raise PassageNotFoundError(passage_id)
        return found

    async def feed_position(self) -> int:
        """Where the live feed ends at present: pass it to ``feed_after`` to get only new ones."""
        return await self._rows.feed_position()

    async def feed_after(self, position: int, *, scope: SiteScope) -> FeedPage:
        """Passages committed after a position, in the order of the commits.

        Nothing is skipped: a smaller position can't appear later. Call again until the position
        stays the same, then wait for a notification on ``FEED_CHANNEL``. Positions older than
        the feed is kept for simply continue at its beginning.
        """
        entries = await self._rows.feed_entries(after=position, limit=FEED_ENTRIES_MAX)
        keys: list[tuple[datetime, UUID]] = []
        for entry in entries:
            keys.extend(zip(entry.captured_ats, entry.passage_ids, strict=True))
            position = entry.position
            if len(keys) >= FEED_PASSAGES_MAX:
                break
        passages = await self._rows.by_key(keys, scope)
        return FeedPage(passages=tuple(passages), position=position)

    async def by_key(
        self, keys: Sequence[tuple[datetime, UUID]], *, scope: SiteScope
    ) -> Mapping[UUID, PassageSummary]:
        """Passages by capture time and id, as far as they still exist and lie in a scope."""
        return {each.id: each for each in await self._rows.by_key(keys, scope)}

    async def lock_unjudged(self, position: int) -> Sequence[PassageSummary] | None:
        """Take one commit's passages to judge them; others wait until the transaction ends.

        Returns:
            The passages without their pictures; ``None`` when they were judged before.
        """
        return await self._rows.lock_unjudged(position)

    async def mark_judged(self, position: int, *, now: datetime) -> None:
        """Note in the judgement's own transaction that one commit's passages were judged."""
        await self._rows.mark_judged(position, now=now)

    async def unjudged_positions(self, *, before: datetime, limit: int) -> Sequence[int]:
        """Commits before a time that nobody has judged yet, oldest first."""
        return await self._rows.unjudged_positions(before=before, limit=limit)

    async def count_unjudged(self) -> int:
        """How many commits wait to be judged; counts up to ``COUNT_MAX``."""
        return await self._rows.count_unjudged(limit=COUNT_MAX)

    async def forget_feed(self, *, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` old entries of the feed; returns how many went.

        Entries that were not judged yet stay, however old: they are the judgement's memory.
        """
        return await self._rows.forget_feed(before=before, limit=limit)
