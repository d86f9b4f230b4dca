# SPDX-License-Identifier: AGPL-3.0-or-later
"""Joins the passage and the tag read of one vehicle, whichever comes first.

A pair whose tag and plate agree is joined at once, nearest first; agreement and not nearness
decides, because a reader that stands before the camera would give every vehicle in a queue its
neighbour's tag. A pair that does not agree is left alone for a moment, so that a better partner may
still come. What then remains is joined with its nearest, and a person looks at it.

A lane is locked while one of its events is matched, so two workers never give one event away twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from central.db.deferring import Job, defer_async
from central.domain.scope import SiteScope
from central.tolling.rating import CrossingRater
from central.tolling.repository import TollRepository
from central.tolling.rows import Partner
from central.tolling.types import (
    Crossing,
    CrossingState,
    LaneEvent,
    LanePassage,
    LaneTagRead,
    MatchingPolicy,
)

END_WAITING: Final = "end_waiting"
"""Task that settles a crossing of which only one event came."""

CROSSING_NAMESPACE: Final = UUID("6f1d0c52-5d0e-5b0a-9c55-0d3a5c1b8e77")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two events that may be one crossing, and the crossing that holds the earlier one."""

    partner: Partner
    passage: LanePassage
    tag_read: LaneTagRead


def crossing_id_of(event_id: UUID) -> UUID:
    """Id of the crossing that an event begins: the same however often it is told."""
    return uuid5(CROSSING_NAMESPACE, str(event_id))


class CrossingMatcher:
    """Matches events, in the caller's transaction; one event per transaction."""

    def __init__(self, connection: AsyncConnection, *, policy: MatchingPolicy) -> None:
        self._connection = connection
        self._rows = TollRepository(connection)
        self._rater = CrossingRater(connection)
        self._policy = policy

    async def match(self, event: LaneEvent, *, now: datetime) -> None:
        """Join an event with its partner, or let it wait; a known event changes nothing."""
        await self._rows.lock_lane(event.lane)
        if await self._rows.crossing_of_event(event.id) is not None:
            return
        pairs = await self._pairs(event)
        for pair in pairs:
            if await self._rater.agrees(pair.passage, pair.tag_read) and await self._hold(pair):
                await self._join(pair, into=pair.partner.id, now=now)
                return
        crossing_id = crossing_id_of(event.id)
        await self._rows.begin(crossing_id, event, now=now)
        if pairs:
            await self._end_waiting_later(
                crossing_id, at=now + self._policy.settle_after, is_last=False
            )
        await self._end_waiting_later(crossing_id, at=now + self._policy.wait, is_last=True)

    async def end_waiting(self, crossing_id: UUID, *, is_last: bool, now: datetime) -> None:
        """Settle a crossing that still waits: with the nearest event that is left, or alone.

        Args:
            crossing_id: The crossing; one that waits no more is left as it is.
            is_last: Whether it may not wait any longer.
            now: Aware time.
        """
        everything = SiteScope.everything()
        known = await self._rows.crossing(crossing_id, everything)
        if known is None:
            return
        await self._rows.lock_lane(known.lane)
        crossing = await self._rows.lock_crossing(crossing_id, everything)
        if crossing is None or crossing.state is not CrossingState.WAITING:
            return
        event = await self._event_of(crossing)
        settled_before = now - self._policy.settle_after
        pairs = [each for each in await self._pairs(event) if _is_old(each, settled_before)]
        if pairs:
            await self._join_with_waiting(pairs[0], crossing, now=now)
        elif is_last:
            await self._rater.settle_half(crossing_id, event, now=now)

    async def _pairs(self, event: LaneEvent) -> Sequence[Pair]:
        """Possible partners of an event, nearest first."""
        partners = await self._rows.partners(
            event.lane,
            lacking="passage" if isinstance(event, LanePassage) else "tag_read",
            near_at=event.captured_at,
            window=self._policy.window,
        )
        pairs = []
        for partner in partners:
            if isinstance(event, LanePassage):
                passage: LanePassage | None = event
                tag_read = await self._tag_read(partner.tag_read_id)
            else:
                passage = await self._passage(partner.passage_id, event)
                tag_read = event
            if passage is not None and tag_read is not None:
                pairs.append(Pair(partner=partner, passage=passage, tag_read=tag_read))
        return pairs

    async def _join_with_waiting(self, pair: Pair, waiting: Crossing, *, now: datetime) -> None:
        """Make one crossing of two: the one that began first, or the one with a history, stays."""
        partner = pair.partner
        is_partner_kept = partner.state == CrossingState.REVIEW or (
            (partner.created_at, partner.id) < (waiting.created_at, waiting.id)
        )
        kept, dropped = partner.id, waiting.id
        if not is_partner_kept:
            kept, dropped = dropped, kept
        if not await self._hold(pair):
            return
        await self._rows.drop_waiting(dropped)
        await self._join(pair, into=kept, now=now)

    async def _hold(self, pair: Pair) -> bool:
        """Lock a partner; False when a person decided it meanwhile."""
        held = await self._rows.lock_crossing(pair.partner.id, SiteScope.everything())
        return held is not None and held.state in {CrossingState.WAITING, CrossingState.REVIEW}

    async def _join(self, pair: Pair, *, into: UUID, now: datetime) -> None:
        """Give a crossing both its events, and decide it."""
        await self._rows.join(into, pair.passage, pair.tag_read)
        await self._rater.settle(into, pair.passage, pair.tag_read, now=now)

    async def _event_of(self, crossing: Crossing) -> LaneEvent:
        """The event with which a waiting crossing began."""
        event: LaneEvent | None
        if crossing.passage_id is not None:
            event = await self._rows.lane_passage(crossing.passage_id, crossing.lane)
        else:
            event = await self._tag_read(crossing.tag_read_id)
        if event is None:
            raise RuntimeError("a crossing's event is not in the database")
        return event

    async def _tag_read(self, tag_read_id: UUID | None) -> LaneTagRead | None:
        return await self._rows.lane_tag_read(tag_read_id) if tag_read_id else None

    async def _passage(self, passage_id: UUID | None, beside: LaneEvent) -> LanePassage | None:
        return await self._rows.lane_passage(passage_id, beside.lane) if passage_id else None

    async def _end_waiting_later(self, crossing_id: UUID, *, at: datetime, is_last: bool) -> None:
        await defer_async(
            self._connection,
            Job(
                task=END_WAITING,
                arguments={"crossing_id": str(crossing_id), "is_last": is_last},
                due_at=at,
            ),
        )


def _is_old(pair: Pair, settled_before: datetime) -> bool:
    """Whether a partner has waited long enough to be given one that does not agree."""
    return pair.partner.created_at <= settled_before
