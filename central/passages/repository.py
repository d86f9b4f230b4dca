# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of passages, for reading; ingest writes them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from central.db.queries import QueryFile
from central.domain.local_time import LOCAL_ZONE
from central.domain.plate_similarity import alike_patterns, alike_texts, folded_pattern
from central.domain.plates import PlatePattern
from central.domain.scope import SiteScope
from central.passages.rows import (
    AlikeRow,
    CandidateRow,
    CompanionRow,
    EvidenceRow,
    FeedRow,
    PassageRow,
    SummaryRow,
    passage,
    summary,
)
from central.passages.types import (
    PageCursor,
    PageRequest,
    Passage,
    PassageFilter,
    PassagePage,
    PassageSummary,
)

QUERIES: Final = QueryFile.beside(__file__)
PATTERN_ROWS_MAX: Final = 10_001
"""Rows that a search by a pattern sorts. Higher: rare plates are more surely sought by their index,
and common patterns take longer. Far more than a page, whatever its size."""

PATTERN_STEPS: Final = (timedelta(weeks=1), timedelta(weeks=3), timedelta(weeks=9))
"""A search by a pattern goes so far back first, and further only while its page is not full. Plates
that fit a pattern are mostly many: their page is full after days, however old the table is."""


class PassageRepository:
    """Reads on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def search(
        self, wanted: PassageFilter, page: PageRequest, scope: SiteScope, *, now: datetime
    ) -> PassagePage:
        """One page of passages, newest first."""
        rows: list[SummaryRow] = []
        for stretch in stretches_back(wanted, after=page.after, now=now):
            missing = page.size + 1 - len(rows)
            rows += await self._search_stretch(stretch, page, scope, limit=missing)
            if len(rows) > page.size:
                break
        passages = tuple(await self._summaries(rows[: page.size]))
        has_more = len(rows) > page.size
        return PassagePage(passages=passages, next=passages[-1].cursor if has_more else None)

    async def _search_stretch(
        self, wanted: PassageFilter, page: PageRequest, scope: SiteScope, *, limit: int
    ) -> Sequence[SummaryRow]:
        """The newest passages of a stretch of time behind a page's cursor."""
        async with self._connection.cursor(row_factory=class_row(SummaryRow)) as cursor:
            await cursor.execute(
                QUERIES["search_passages"],
                {
                    **_filter_parameters(wanted, scope),
                    "after_at": page.after.captured_at if page.after else None,
                    "after_id": page.after.passage_id if page.after else None,
                    "rows_max": limit,
                    "fitting_max": PATTERN_ROWS_MAX if wanted.is_pattern else limit,
                },
            )
            return await cursor.fetchall()

    async def count(self, wanted: PassageFilter, scope: SiteScope, *, limit: int) -> int:
        """How many passages fit, but at most ``limit``."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["count_passages"], {**_filter_parameters(wanted, scope), "rows_max": limit}
            )
            return int(await cursor.fetchone() or 0)

    async def get(self, passage_id: UUID, scope: SiteScope) -> Passage | None:
        """One passage within a scope."""
        async with self._connection.cursor(row_factory=class_row(PassageRow)) as cursor:
            await cursor.execute(
                QUERIES["select_passage"], {"passage_id": passage_id, "scope": scope.as_list()}
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        evidence = await self._evidence([(row.captured_at, row.id)])
        return passage(row, evidence[row.id])

    async def feed_position(self) -> int:
        """Where the live feed ends at present; 0 when it is empty."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_feed_position"])
            return int(await cursor.fetchone() or 0)

    async def feed_entries(self, *, after: int, limit: int) -> Sequence[FeedRow]:
        """What was stored after a position, in the order of the commits."""
        async with self._connection.cursor(row_factory=class_row(FeedRow)) as cursor:
            await cursor.execute(
                QUERIES["select_feed_entries"], {"position": after, "rows_max": limit}
            )
            return await cursor.fetchall()

    async def by_key(
        self, keys: Sequence[tuple[datetime, UUID]], scope: SiteScope
    ) -> Sequence[PassageSummary]:
        """Passages by capture time and id, as far as they lie in a scope, in the same order."""
        if not keys:
            return []
        async with self._connection.cursor(row_factory=class_row(SummaryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_passages_by_key"],
                {**_key_parameters(keys), "scope": scope.as_list()},
            )
            return await self._summaries(await cursor.fetchall())

    async def similar_candidates(
        self,
        plate_text: str,
        *,
        since: datetime,
        until: datetime,
        threshold: float,
        limit: int,
        scope: SiteScope,
    ) -> Sequence[CandidateRow]:
        """Other plates of a span of time that share groups of characters, the most alike first."""
        async with self._connection.cursor(row_factory=class_row(CandidateRow)) as cursor:
            await cursor.execute(QUERIES["loosen_similarity"], {"threshold": str(threshold)})
            await cursor.execute(
                QUERIES["select_similar_candidates"],
                {
                    "plate_text": plate_text,
                    "since": since,
                    "until": until,
                    "scope": scope.as_list(),
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def alike_plates(
        self,
        pattern: PlatePattern,
        *,
        since: datetime,
        until: datetime,
        site_ids: Sequence[str],
        limit: int,
        scope: SiteScope,
    ) -> Sequence[AlikeRow]:
        """Plates of a span of time that may be meant by a pattern, the likeliest first."""
        is_whole = pattern.is_exact
        async with self._connection.cursor(row_factory=class_row(AlikeRow)) as cursor:
            await cursor.execute(
                QUERIES["select_alike_plates"],
                {
                    "since": since,
                    "until": until,
                    "texts": list(alike_texts(pattern.text)) if is_whole else None,
                    "patterns": None if is_whole else list(alike_patterns(pattern)),
                    "plate_like": pattern.like,
                    "plate_folded": folded_pattern(pattern).like,
                    "scope": scope.as_list(),
                    "site_ids": list(site_ids) or None,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def companions(
        self,
        plate_text: str,
        *,
        since: datetime,
        until: datetime,
        apart: timedelta,
        passages_max: int,
        vehicles_max: int,
        sites_min: int,
        limit: int,
        scope: SiteScope,
    ) -> Sequence[CompanionRow]:
        """Plates seen near one in time at several sites, most sites first."""
        async with self._connection.cursor(row_factory=class_row(CompanionRow)) as cursor:
            await cursor.execute(
                QUERIES["select_companions"],
                {
                    "plate_text": plate_text,
                    "since": since,
                    "until": until,
                    "apart": apart,
                    "passages_max": passages_max,
                    "vehicles_max": vehicles_max,
                    "sites_min": sites_min,
                    "zone": LOCAL_ZONE.key,
                    "rows_max": limit,
                    "scope": scope.as_list(),
                },
            )
            return await cursor.fetchall()

    async def lock_unjudged(self, position: int) -> Sequence[PassageSummary] | None:
        """Passages of one commit without their pictures; ``None`` when they were judged before."""
        async with self._connection.cursor(row_factory=class_row(FeedRow)) as cursor:
            await cursor.execute(QUERIES["lock_unjudged_entry"], {"position": position})
            entry = await cursor.fetchone()
        if entry is None:
            return None
        keys = list(zip(entry.captured_ats, entry.passage_ids, strict=True))
        everything = SiteScope.everything().as_list()  # control serves the whole province
        async with self._connection.cursor(row_factory=class_row(SummaryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_passages_by_key"], {**_key_parameters(keys), "scope": everything}
            )
            return [summary(row, ()) for row in await cursor.fetchall()]

    async def mark_judged(self, position: int, *, now: datetime) -> None:
        """Note that the passages of one commit were judged."""
        await self._connection.execute(QUERIES["mark_judged"], {"position": position, "now": now})

    async def unjudged_positions(self, *, before: datetime, limit: int) -> Sequence[int]:
        """Commits before a time that nobody has judged yet, oldest first."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_unjudged_entries"], {"before": before, "rows_max": limit}
            )
            return [int(position) for position in await cursor.fetchall()]

    async def count_unjudged(self, *, limit: int) -> int:
        """How many commits nobody has judged yet, but at most ``limit``."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_unjudged_entries"], {"rows_max": limit})
            return int(await cursor.fetchone() or 0)

    async def forget_feed(self, *, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` old entries of the feed; returns how many went."""
        cursor = await self._connection.execute(
            QUERIES["delete_old_feed"], {"before": before, "rows_max": limit}
        )
        return cursor.rowcount

    async def _summaries(self, rows: Sequence[SummaryRow]) -> Sequence[PassageSummary]:
        """Values of rows, each with its pictures."""
        evidence = await self._evidence([(row.captured_at, row.id) for row in rows])
        return [summary(row, evidence[row.id]) for row in rows]

    async def _evidence(
        self, keys: Sequence[tuple[datetime, UUID]]
    ) -> Mapping[UUID, Sequence[EvidenceRow]]:
        """Pictures by passage; a passage without any has an empty list."""
        found: defaultdict[UUID, list[EvidenceRow]] = defaultdict(list)
        if not keys:
            return found
        async with self._connection.cursor(row_factory=class_row(EvidenceRow)) as cursor:
            await cursor.execute(QUERIES["select_evidence_of_passages"], _key_parameters(keys))
            for row in await cursor.fetchall():
                found[row.passage_id].append(row)
        return found


def stretches_back(
    wanted: PassageFilter, *, after: PageCursor | None, now: datetime
) -> list[PassageFilter]:
    """The same search in stretches of time, the newest first, which together are the whole.

    Only a search by a pattern has several. The first one reaches back from the present (asking for
    the newest passage instead means planning over all of the table), or from where the search or
    the page begins.
    """
    if not wanted.is_pattern:
        return [wanted]
    newest_at = after.captured_at if after else min(now, wanted.captured_until or now)
    stretches = []
    for step in PATTERN_STEPS:
        begin = newest_at - step
        if wanted.captured_from is not None and begin <= wanted.captured_from:
            break
        stretches.append(replace(wanted, captured_from=begin))
        wanted = replace(wanted, captured_until=begin)
    return [*stretches, wanted]


def _key_parameters(keys: Sequence[tuple[datetime, UUID]]) -> Mapping[str, object]:
    """Keys as they are bound; the bounds let the planner skip chunks."""
    times = [captured_at for captured_at, _ in keys]
    return {
        "captured_ats": times,
        "passage_ids": [passage_id for _, passage_id in keys],
        "captured_at_min": min(times),
        "captured_at_max": max(times),
    }


def _filter_parameters(wanted: PassageFilter, scope: SiteScope) -> Mapping[str, object]:
    """A filter as it is bound: parts that do not restrict are NULL."""
    plate = wanted.plate
    return {
        "scope": scope.as_list(),
        "captured_from": wanted.captured_from,
        "captured_until": wanted.captured_until,
        "site_ids": list(wanted.site_ids) or None,
        "camera_sites": [camera.site_id for camera in wanted.cameras] or None,
        "camera_ids": [camera.camera_id for camera in wanted.cameras] or None,
        "directions": [direction.value for direction in wanted.directions] or None,
        "classes": [each.value for each in wanted.vehicle_classes] or None,
        "plate_exact": plate.text if plate and plate.is_exact else None,
        "plate_like": plate.like if plate and not plate.is_exact else None,
        "plate_folded": folded_pattern(plate).like if plate else None,
        "only_unread": wanted.only_unread,
    }
