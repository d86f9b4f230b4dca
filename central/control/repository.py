# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of alerts and sightings."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb

from central.control.rows import (
    AlertRow,
    LateRow,
    RaisedRow,
    SightingRow,
    alert_row,
    sighting_row,
)
from central.control.types import (
    Alert,
    AlertFilter,
    AlertId,
    AlertState,
    ClosingReason,
    Finding,
    ListRequest,
)
from central.db.queries import QueryFile
from central.domain.control_law import RuleName
from central.domain.scope import SiteScope

QUERIES: Final = QueryFile.beside(__file__)

LOCK_CLASS: Final = 0x6C74_6374
"""First half of the advisory locks under which findings about one vehicle are made and ended."""

FEED_LOCK_ID: Final = 0x6C75_7461_6665
"""Advisory lock under which positions of the feed of alerts are drawn."""

FINDINGS_MAX: Final = 100_000
"""More findings than one commit of passages can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedAlert:
    """What an action must fit."""

    version: int
    state: AlertState


class ControlRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, things: Collection[str]) -> None:
        """Make others who judge or put right the same vehicles wait; always in the same order."""
        await self._connection.execute(
            QUERIES["lock_findings"], {"lock_class": LOCK_CLASS, "things": list(things)}
        )

    async def judged(self, passage_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
        """Which of these passages are sightings already, and of which rules."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(
                QUERIES["select_judged"],
                {"passage_ids": list(passage_ids), "rows_max": FINDINGS_MAX},
            )
            return {(row[0], str(row[1])) for row in await cursor.fetchall()}

    async def raise_alerts(
        self, found: Sequence[Finding], *, now: datetime
    ) -> Mapping[tuple[str, str], RaisedRow]:
        """Open an alert for each key of live findings, or add them to the open one."""
        by_key: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in found:
            by_key[finding.key].append(finding)
        raised: dict[tuple[str, str], RaisedRow] = {}
        for query, has_entry in (
            ("upsert_alerts_of_entries", True),
            ("upsert_alerts_of_vehicles", False),
        ):
            rows = [
                alert_row(uuid4(), same)
                for _, same in sorted(by_key.items())
                if (same[0].watchlist_entry_id is not None) is has_entry
            ]
            if not rows:
                continue
            async with self._connection.cursor(row_factory=class_row(RaisedRow)) as cursor:
                await cursor.execute(QUERIES[query], {"rows": Jsonb(rows), "now": now})
                raised |= {row.key: row for row in await cursor.fetchall()}
        return raised

    async def count_late(self, same: Sequence[Finding]) -> UUID | None:
        """Add late findings of one key to the open alert; ``None`` when there is none."""
        first = same[0]
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["count_late_sightings_in"],
                {
                    "rule": first.rule.value,
                    "entry_id": first.watchlist_entry_id,
                    "vehicle_id": first.vehicle_id,
                    "sightings": len(same),
                },
            )
            return await cursor.fetchone()

    async def add_sightings(
        self, sightings: Sequence[tuple[Finding, UUID | None]], *, now: datetime
    ) -> None:
        """Keep which passages fitted which rules."""
        rows = [sighting_row(finding, alert_id) for finding, alert_id in sightings]
        await self._connection.execute(
            QUERIES["insert_sightings"], {"rows": Jsonb(rows), "now": now}
        )

    async def announce(self, alert_ids: Collection[UUID], *, channel: str, now: datetime) -> None:
        """Put changed alerts into the live feed and wake its readers at the commit.

        Call it last: others who announce wait from here to the end of the transaction.
        """
        await self._connection.execute(
            QUERIES["insert_feed_entries"],
            {"lock_id": FEED_LOCK_ID, "alert_ids": sorted(alert_ids), "now": now},
        )
        await self._connection.execute(QUERIES["notify_alerts"], {"channel": channel})

    async def alerts(
        self, wanted: AlertFilter, page: ListRequest, scope: SiteScope
    ) -> Sequence[Alert]:
        """One row more than a page has, if there is one."""
        async with self._connection.cursor(row_factory=class_row(AlertRow)) as cursor:
            await cursor.execute(
                QUERIES["select_alerts"],
                {
                    "scope": scope.as_list(),
                    "states": [state.value for state in wanted.states] or None,
                    "rule": wanted.rule.value if wanted.rule is not None else None,
                    "vehicle_id": wanted.vehicle_id,
                    "after_at": page.after.at if page.after else None,
                    "after_id": page.after.id if page.after else None,
                    "rows_max": page.size + 1,
                },
            )
            return [row.value() for row in await cursor.fetchall()]

    async def count(self, states: Collection[AlertState], scope: SiteScope, *, limit: int) -> int:
        """How many alerts are in one of these states, but at most ``limit``."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["count_alerts"],
                {
                    "states": [state.value for state in states],
                    "scope": scope.as_list(),
                    "rows_max": limit,
                },
            )
            return int(await cursor.fetchone() or 0)

    async def by_id(self, alert_ids: Collection[UUID], scope: SiteScope) -> Sequence[Alert]:
        """Alerts by id within a scope, the most recently sighted first."""
        async with self._connection.cursor(row_factory=class_row(AlertRow)) as cursor:
            await cursor.execute(
                QUERIES["select_alerts_by_id"],
                {
                    "alert_ids": list(alert_ids),
                    "scope": scope.as_list(),
                    "rows_max": len(alert_ids),
                },
            )
            return [row.value() for row in await cursor.fetchall()]

    async def sightings(
        self, alert_id: AlertId, scope: SiteScope, *, limit: int
    ) -> Sequence[SightingRow]:
        """The newest sightings of an alert."""
        async with self._connection.cursor(row_factory=class_row(SightingRow)) as cursor:
            await cursor.execute(
                QUERIES["select_sightings"],
                {"alert_id": alert_id, "scope": scope.as_list(), "rows_max": limit},
            )
            return await cursor.fetchall()

    async def late(
        self, rule: RuleName | None, page: ListRequest, scope: SiteScope
    ) -> Sequence[LateRow]:
        """One row more than a page has, if there is one."""
        async with self._connection.cursor(row_factory=class_row(LateRow)) as cursor:
            await cursor.execute(
                QUERIES["select_late_sightings"],
                {
                    "scope": scope.as_list(),
                    "rule": rule.value if rule is not None else None,
                    "after_at": page.after.at if page.after else None,
                    "after_id": page.after.id if page.after else None,
                    "rows_max": page.size + 1,
                },
            )
            return await cursor.fetchall()

    async def lock_alert(self, alert_id: AlertId, scope: SiteScope) -> LockedAlert | None:
        """An alert's version and state, for an action."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(
                QUERIES["lock_alert"], {"alert_id": alert_id, "scope": scope.as_list()}
            )
            row = await cursor.fetchone()
        return LockedAlert(version=int(row[0]), state=AlertState(row[1])) if row else None

    async def acknowledge(self, alert_id: AlertId, *, username: str, now: datetime) -> None:
        """Somebody looks after it."""
        await self._connection.execute(
            QUERIES["acknowledge_alert"],
            {"alert_id": alert_id, "username": username, "now": now},
        )

    async def close(
        self, alert_id: AlertId, *, reason: ClosingReason, note: str, username: str, now: datetime
    ) -> None:
        """Somebody ended it."""
        await self._connection.execute(
            QUERIES["close_alert"],
            {
                "alert_id": alert_id,
                "reason": reason.value,
                "note": note,
                "username": username,
                "now": now,
            },
        )

    async def close_by_dossier(
        self, vehicle_id: UUID, *, rules: Sequence[RuleName], dossier_code: str, now: datetime
    ) -> Sequence[UUID]:
        """End the open alerts of these rules about a vehicle; returns their ids."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["close_alerts_by_dossier"],
                {
                    "vehicle_id": vehicle_id,
                    "rules": [rule.value for rule in rules],
                    "reason": ClosingReason.ENDED_BY_DOSSIER.value,
                    "dossier_code": dossier_code,
                    "now": now,
                },
            )
            return await cursor.fetchall()

    async def feed_position(self) -> int:
        """Where the feed of alerts ends at present; 0 when it is empty."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["select_feed_position"])
            return int(await cursor.fetchone() or 0)

    async def feed_after(self, position: int, *, limit: int) -> Sequence[tuple[int, UUID]]:
        """Positions and alerts after a position, in the order of the commits."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(
                QUERIES["select_feed_after"], {"position": position, "rows_max": limit}
            )
            return [(int(row[0]), row[1]) for row in await cursor.fetchall()]

    async def forget_feed(self, *, before: datetime, limit: int) -> int:
        """Delete at most ``limit`` old entries of the feed; returns how many went."""
        cursor = await self._connection.execute(
            QUERIES["delete_old_feed"], {"before": before, "rows_max": limit}
        )
        return cursor.rowcount
