# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads a run's passages and its ledger back from the database, through the centre's services."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

from psycopg import AsyncConnection

from central.db.pool import connection_info
from central.domain.scope import SiteScope
from central.passages.service import PassageService
from central.passages.types import (
    PAGE_SIZE_MAX,
    CameraKey,
    PageCursor,
    PageRequest,
    Passage,
    PassageFilter,
)
from central.sites.service import SiteService
from deploy.demo.device import CAMERA_ID, DEVICE_ID, SITE_ID
from deploy.demo.results import EventLedger, StoredPassage
from deploy.local.clock import utc_now
from edge.outbox.types import OutboxState
from models.runtime.values import BoxPx

ResultT = TypeVar("ResultT")

PASSAGES_MAX: Final = 5_000
"""Passages of one run that are read back; a longer stream is counted from its newest ones."""

_SCOPE: Final = SiteScope(site_ids=frozenset({SITE_ID}))


def count_passages(database_url: str, *, since: datetime) -> int:
    """How many passages the run has stored so far."""

    async def count(connection: AsyncConnection) -> int:
        counted = await PassageService(connection).count(_run_filter(since), scope=_SCOPE)
        return counted.count

    return asyncio.run(_with_connection(database_url, count))


def stored_passages(database_url: str, *, since: datetime) -> list[StoredPassage]:
    """Passages of the run, oldest first, at most ``PASSAGES_MAX``.

    Args:
        database_url: The stack's database.
        since: Aware time at which the run began; earlier runs are left out.
    """

    async def read(connection: AsyncConnection) -> list[StoredPassage]:
        service = PassageService(connection)
        found: list[StoredPassage] = []
        after: PageCursor | None = None
        while len(found) < PASSAGES_MAX:
            page = await service.search(
                _run_filter(since),
                PageRequest(size=PAGE_SIZE_MAX, after=after),
                scope=_SCOPE,
                now=utc_now(),
            )
            found += [
                _stored(await service.get(summary.id, scope=_SCOPE)) for summary in page.passages
            ]
            if page.next is None:
                break
            after = page.next
        return found[::-1]

    return asyncio.run(_with_connection(database_url, read))


def event_ledger(database_url: str, outbox: OutboxState) -> EventLedger:
    """What the centre holds of an outbox.

    Args:
        database_url: The stack's database.
        outbox: The device's outbox after the run.
    """
    made = outbox.last_seq

    async def read(connection: AsyncConnection) -> EventLedger:
        for stream in await SiteService(connection).completeness(DEVICE_ID):
            if stream.outbox_id == outbox.outbox_id:
                missing = sum(len(hole) for hole in stream.held.missing(up_to=made))
                return EventLedger(
                    made=made,
                    stored=made - missing,
                    missing=missing,
                    waiting=outbox.events,
                    repeated=stream.doubled_count,
                    quarantined=stream.quarantined_count,
                )
        return EventLedger(
            made=made, stored=0, missing=made, waiting=outbox.events, repeated=0, quarantined=0
        )

    return asyncio.run(_with_connection(database_url, read))


async def _with_connection(
    database_url: str, work: Callable[[AsyncConnection], Awaitable[ResultT]]
) -> ResultT:
    info = connection_info(database_url, application_name="luuthong-demo")
    async with await AsyncConnection.connect(info) as connection:
        return await work(connection)


def _run_filter(since: datetime) -> PassageFilter:
    return PassageFilter(
        captured_from=since, cameras=(CameraKey(site_id=SITE_ID, camera_id=CAMERA_ID),)
    )


def _stored(passage: Passage) -> StoredPassage:
    summary, plate = passage.summary, passage.plate
    box = None
    if plate is not None:
        box = BoxPx(
            x_min=plate.box_px.x_min,
            y_min=plate.box_px.y_min,
            x_max=plate.box_px.x_max,
            y_max=plate.box_px.y_max,
        )
    return StoredPassage(
        id=summary.id,
        captured_at=summary.captured_at,
        last_seen_at=passage.last_seen_at,
        stored_at=summary.stored_at,
        frame_index=passage.frame_index,
        plate_text=summary.plate_text,
        plate_confidence=summary.plate_confidence,
        plate_box_px=box,
        vehicle_class=None if summary.vehicle_class is None else str(summary.vehicle_class),
        pictures_named=len(summary.evidence),
        pictures_stored=sum(link.is_stored for link in summary.evidence),
    )
