# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of tolling."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.domain.local_time import local_date, start_of_local_day
from central.domain.scope import SiteScope
from central.tolling.deciding import Verdict
from central.tolling.rows import (
    BindingRow,
    CrossingRow,
    EventRow,
    FeedKeysRow,
    Partner,
    PassageRow,
    StationDayRow,
    TagReadRow,
    fact_row,
)
from central.tolling.types import (
    AccountState,
    Crossing,
    CrossingCursor,
    CrossingEvent,
    CrossingFilter,
    CrossingPage,
    CrossingPageRequest,
    CrossingState,
    LaneEvent,
    LaneKey,
    LanePassage,
    LaneTagRead,
    Reach,
    StationDay,
    TagBinding,
    Tariff,
)

QUERIES: Final = QueryFile.beside(__file__)
FEED_PASSAGES_MAX: Final = 100_000
"""Far above what one commit of ingest holds."""

PARTNERS_MAX: Final = 20
BINDINGS_MAX: Final = 20
TARIFFS_MAX: Final = 10
EVENTS_MAX: Final = 200
STATIONS_MAX: Final = 500

Row = TypeVar("Row")


class TollRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lane_passages(self, position: int) -> Sequence[LanePassage]:
        """Passages at toll lanes that one commit stored, oldest first."""
        keys = await self._one(FeedKeysRow, "select_feed_keys", {"position": position})
        if keys is None or not keys.captured_ats:
            return []
        rows = await self._all(
            PassageRow,
            "select_lane_passages",
            {
                "captured_ats": list(keys.captured_ats),
                "passage_ids": list(keys.passage_ids),
                "captured_at_min": min(keys.captured_ats),
                "captured_at_max": max(keys.captured_ats),
                "rows_max": FEED_PASSAGES_MAX,
            },
        )
        return [row.value() for row in rows]

    async def lane_passage(self, passage_id: UUID, lane: LaneKey) -> LanePassage | None:
        """One passage that belongs to a lane."""
        row = await self._one(
            PassageRow, "select_lane_passage", {**_lane(lane), "passage_id": passage_id}
        )
        return row.value() if row else None

    async def lane_tag_read(self, tag_read_id: UUID) -> LaneTagRead | None:
        """One tag read; ``None`` when its reader watches no toll lane."""
        row = await self._one(TagReadRow, "select_lane_tag_read", {"tag_read_id": tag_read_id})
        return row.value() if row else None

    async def lane_passage_in_use(self, passage_id: UUID) -> LanePassage | None:
        """One passage; ``None`` when its camera watches no toll lane."""
        row = await self._one(PassageRow, "select_lane_passage_in_use", {"passage_id": passage_id})
        return row.value() if row else None

    async def unmatched_passages(self, reach: Reach, *, limit: int) -> Sequence[UUID]:
        """Passages at toll lanes without a crossing, newest first."""
        return await self._unmatched("select_unmatched_passages", reach, limit=limit)

    async def unmatched_tag_reads(self, reach: Reach, *, limit: int) -> Sequence[UUID]:
        """Tag reads at toll lanes without a crossing, newest first."""
        return await self._unmatched("select_unmatched_tag_reads", reach, limit=limit)

    async def lock_lane(self, lane: LaneKey) -> None:
        """Others who match events of this lane wait until the transaction ends."""
        await self._connection.execute(QUERIES["lock_lane"], _lane(lane))

    async def crossing_of_event(self, event_id: UUID) -> UUID | None:
        """The crossing to which a passage or tag read belongs."""
        return await self._id("select_crossing_of_event", {"event_id": event_id})

    async def partners(
        self, lane: LaneKey, *, lacking: str, near_at: datetime, window: timedelta
    ) -> Sequence[Partner]:
        """Crossings that lack a ``passage`` or a ``tag_read`` near a time, nearest first."""
        return await self._all(
            Partner,
            "select_partners",
            {
                **_lane(lane),
                "lacking": lacking,
                "near_at": near_at,
                "from_at": near_at - window,
                "until_at": near_at + window,
                "rows_max": PARTNERS_MAX,
            },
        )

    async def begin(self, crossing_id: UUID, event: LaneEvent, *, now: datetime) -> None:
        """Begin a crossing with its first event."""
        is_passage = isinstance(event, LanePassage)
        await self._connection.execute(
            QUERIES["insert_crossing"],
            {
                "id": crossing_id,
                **_lane(event.lane),
                "crossed_at": event.captured_at,
                "booked_on": local_date(event.captured_at),
                "passage_id": event.id if is_passage else None,
                "tag_read_id": None if is_passage else event.id,
                "plate_text": event.plate_text if isinstance(event, LanePassage) else None,
                "plate_colour": event.plate_colour if isinstance(event, LanePassage) else None,
                "class_seen": event.vehicle_class if isinstance(event, LanePassage) else None,
                "epc": event.epc if isinstance(event, LaneTagRead) else None,
                "is_late": event.is_late,
                "now": now,
            },
        )

    async def join(self, crossing_id: UUID, passage: LanePassage, tag_read: LaneTagRead) -> None:
        """Give a crossing both its events."""
        await self._connection.execute(
            QUERIES["join_events"],
            {
                "crossing_id": crossing_id,
                "crossed_at": passage.captured_at,
                "booked_on": local_date(passage.captured_at),
                "passage_id": passage.id,
                "tag_read_id": tag_read.id,
                "plate_text": passage.plate_text,
                "plate_colour": passage.plate_colour,
                "class_seen": passage.vehicle_class,
                "epc": tag_read.epc,
                "is_late": passage.is_late or tag_read.is_late,
            },
        )

    async def drop_waiting(self, crossing_id: UUID) -> None:
        """Remove a crossing that only waited."""
        await self._connection.execute(
            QUERIES["delete_waiting_crossing"], {"crossing_id": crossing_id}
        )

    async def lock_crossing(self, crossing_id: UUID, scope: SiteScope) -> Crossing | None:
        """A crossing that nobody else changes until the transaction ends."""
        parameters = {"crossing_id": crossing_id, "scope": scope.as_list()}
        if await self._id("lock_crossing", parameters) is None:
            return None
        return await self.crossing(crossing_id, scope)

    async def decide(
        self,
        crossing_id: UUID,
        verdict: Verdict,
        *,
        reason: str | None,
        ledger_entry_id: int | None,
        actor: str,
        note: str,
        now: datetime,
    ) -> None:
        """Store what became of a crossing, and add it to its history."""
        tariff = verdict.tariff
        is_free = verdict.state is CrossingState.EXEMPT
        common = {
            "crossing_id": crossing_id,
            "state": verdict.state,
            "reason": reason,
            "actor": actor,
            "now": now,
        }
        await self._connection.execute(
            QUERIES["update_decision"],
            {
                **common,
                "vehicle_id": verdict.vehicle_id,
                "account_number": verdict.account_number,
                "vehicle_group": verdict.vehicle_group,
                "tariff_id": tariff.id if tariff else None,
                "amount_dong": 0 if is_free else tariff.price_dong if tariff else None,
                "ledger_entry_id": ledger_entry_id,
                "facts": Jsonb([fact_row(each) for each in verdict.facts]),
            },
        )
        await self._connection.execute(QUERIES["insert_event"], {**common, "note": note})

    async def refunded(
        self,
        crossing_id: UUID,
        *,
        refund_entry_id: int,
        reason: str,
        actor: str,
        note: str,
        now: datetime,
    ) -> None:
        """Store that a charge was given back, and add it to the crossing's history."""
        await self._connection.execute(
            QUERIES["update_refund"],
            {"crossing_id": crossing_id, "refund_entry_id": refund_entry_id},
        )
        await self._connection.execute(
            QUERIES["insert_event"],
            {
                "crossing_id": crossing_id,
                "state": CrossingState.CHARGED,
                "reason": reason,
                "actor": actor,
                "note": note,
                "now": now,
            },
        )

    async def bindings(self, epc: str, *, at: datetime) -> Sequence[TagBinding]:
        """Accounts on which a tag was live at a time."""
        rows = await self._all(
            BindingRow,
            "select_bindings",
            {"epc": epc, "near_at": at, "rows_max": BINDINGS_MAX},
        )
        return [row.value() for row in rows]

    async def bindings_of_vehicle(self, vehicle_id: UUID, *, at: datetime) -> Sequence[TagBinding]:
        """Accounts that paid for a vehicle at a time."""
        rows = await self._all(
            BindingRow,
            "select_bindings_of_vehicle",
            {"vehicle_id": vehicle_id, "near_at": at, "rows_max": BINDINGS_MAX},
        )
        return [row.value() for row in rows]

    async def tariffs(self, station_id: str, *, day: date) -> Mapping[int, Tariff]:
        """Prices of a station in force on a day, by group."""
        rows = await self._all(
            Tariff,
            "select_tariffs",
            {"station_id": station_id, "day": day, "rows_max": TARIFFS_MAX},
        )
        return {row.vehicle_group: row for row in rows}

    async def tariff(self, tariff_id: UUID) -> Tariff | None:
        """One price."""
        return await self._one(Tariff, "select_tariff", {"tariff_id": tariff_id})

    async def account_state(self, account_number: str) -> AccountState | None:
        """State of a traffic account; ``None`` when there is none of this number."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_account_state"], {"account_number": account_number}
            )
            found = await cursor.fetchone()
        return AccountState(found) if found is not None else None

    async def crossing(self, crossing_id: UUID, scope: SiteScope) -> Crossing | None:
        """One crossing within a scope."""
        row = await self._one(
            CrossingRow,
            "select_crossing",
            {"crossing_id": crossing_id, "scope": scope.as_list()},
        )
        return row.value() if row else None

    async def events(self, crossing_id: UUID) -> Sequence[CrossingEvent]:
        """What happened to a crossing, oldest first."""
        rows = await self._all(
            EventRow, "select_events", {"crossing_id": crossing_id, "rows_max": EVENTS_MAX}
        )
        return [row.value() for row in rows]

    async def search(
        self, wanted: CrossingFilter, page: CrossingPageRequest, scope: SiteScope
    ) -> CrossingPage:
        """One page of crossings, newest first."""
        day = wanted.day
        rows = await self._all(
            CrossingRow,
            "search_crossings",
            {
                "scope": scope.as_list(),
                "station_id": wanted.station_id,
                "day": day,
                "day_from": start_of_local_day(day) if day else None,
                "day_until": start_of_local_day(day) + timedelta(days=1) if day else None,
                "state": wanted.state,
                "after_at": page.after.crossed_at if page.after else None,
                "after_id": page.after.crossing_id if page.after else None,
                "rows_max": page.size + 1,
            },
        )
        crossings = tuple(row.value() for row in rows[: page.size])
        if len(rows) <= page.size:
            return CrossingPage(crossings=crossings, next=None)
        last = crossings[-1]
        return CrossingPage(
            crossings=crossings,
            next=CrossingCursor(crossed_at=last.crossed_at, crossing_id=last.id),
        )

    async def next_in_review(self, other_than: UUID, scope: SiteScope) -> UUID | None:
        """The crossing that has waited longest for a person."""
        return await self._id(
            "select_next_in_review", {"crossing_id": other_than, "scope": scope.as_list()}
        )

    async def crossings_of_vehicle(
        self, vehicle_id: UUID, scope: SiteScope, *, limit: int
    ) -> Sequence[Crossing]:
        """Newest crossings of a vehicle."""
        rows = await self._all(
            CrossingRow,
            "select_crossings_of_vehicle",
            {"vehicle_id": vehicle_id, "scope": scope.as_list(), "rows_max": limit},
        )
        return [row.value() for row in rows]

    async def station_days(self, day: date, scope: SiteScope) -> Sequence[StationDay]:
        """Every station with its numbers of a day."""
        rows = await self._all(
            StationDayRow,
            "select_station_days",
            {"day": day, "scope": scope.as_list(), "rows_max": STATIONS_MAX},
        )
        return [row.value() for row in rows]

    async def _unmatched(self, query: str, reach: Reach, *, limit: int) -> Sequence[UUID]:
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES[query],
                {
                    "after_at": reach.captured_after,
                    "before_at": reach.stored_before,
                    "rows_max": limit,
                },
            )
            return await cursor.fetchall()

    async def _all(
        self, kind: type[Row], query: str, parameters: Mapping[str, object]
    ) -> Sequence[Row]:
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            return await cursor.fetchall()

    async def _one(
        self, kind: type[Row], query: str, parameters: Mapping[str, object]
    ) -> Row | None:
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            return await cursor.fetchone()

    async def _id(self, query: str, parameters: Mapping[str, object]) -> UUID | None:
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES[query], parameters)
            found: UUID | None = await cursor.fetchone()
            return found


def _lane(lane: LaneKey) -> Mapping[str, object]:
    """A lane as it is bound."""
    return {"station_id": lane.station_id, "lane_number": lane.number}
