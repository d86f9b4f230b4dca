# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs of tolling: each event is matched in a transaction of its own, and twice does no harm."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from central.db.deferring import Job, defer_async
from central.jobs.context import JobContext
from central.tolling.service import TollService
from central.tolling.types import MatchingPolicy, Reach

PASSAGE_TASK: Final = "match_passage"
TAG_READ_TASK: Final = "match_tag_read"

FORGOTTEN_AFTER: Final = timedelta(minutes=5)
"""An event without a crossing so long after it was stored is queued again. Higher: it is charged
later; lower: jobs that are merely waiting are doubled, which does no harm but costs."""

FORGOTTEN_BACK: Final = timedelta(hours=3)
"""How far back the frequent look goes, by the time of capture: an index's short end."""

LONG_FORGOTTEN_BACK: Final = timedelta(days=31)
"""How far back the nightly look goes. Older events stay without a crossing; higher costs time."""

FORGOTTEN_MAX: Final = 500
"""Most passages and most tag reads of one look; more is left for the next."""

log = structlog.get_logger()


async def match_passages(context: JobContext, *, position: int) -> None:
    """Match the passages at toll lanes that one commit of ingest stored."""
    async with context.transaction() as connection:
        passages = await TollService(connection).lane_passages(position)
    for passage in passages:
        async with context.transaction() as connection:
            service = TollService(connection, policy=policy_of(context))
            await service.match(passage, now=context.now())


async def match_tag_read(context: JobContext, *, tag_read_id: str) -> None:
    """Match one tag read; one of a reader that watches no toll lane needs nothing."""
    async with context.transaction() as connection:
        service = TollService(connection, policy=policy_of(context))
        tag_read = await service.lane_tag_read(UUID(tag_read_id))
        if tag_read is not None:
            await service.match(tag_read, now=context.now())


async def match_passage(context: JobContext, *, passage_id: str) -> None:
    """Match one passage that was forgotten."""
    async with context.transaction() as connection:
        service = TollService(connection, policy=policy_of(context))
        passage = await service.lane_passage(UUID(passage_id))
        if passage is not None:
            await service.match(passage, now=context.now())


async def match_forgotten(context: JobContext) -> int:
    """Queue events again whose job never ran or was given up; returns how many."""
    return await _queue_forgotten(context, back=FORGOTTEN_BACK)


async def match_long_forgotten(context: JobContext) -> int:
    """The same for all that may still have come late; returns how many."""
    return await _queue_forgotten(context, back=LONG_FORGOTTEN_BACK)


async def end_waiting(context: JobContext, *, crossing_id: str, is_last: bool = True) -> None:
    """Settle a crossing of which only one event came."""
    async with context.transaction() as connection:
        service = TollService(connection, policy=policy_of(context))
        await service.end_waiting(UUID(crossing_id), is_last=is_last, now=context.now())


async def _queue_forgotten(context: JobContext, *, back: timedelta) -> int:
    """Queue every event at a toll lane that no crossing has."""
    now = context.now()
    reach = Reach(captured_after=now - back, stored_before=now - FORGOTTEN_AFTER)
    async with context.transaction() as connection:
        found = await TollService(connection).unmatched(reach, limit=FORGOTTEN_MAX)
        jobs = [
            *(
                Job(task=PASSAGE_TASK, arguments={"passage_id": str(each)})
                for each in found.passage_ids
            ),
            *(
                Job(task=TAG_READ_TASK, arguments={"tag_read_id": str(each)})
                for each in found.tag_read_ids
            ),
        ]
        for job in jobs:
            await defer_async(connection, job)
    if jobs:
        log.warning(
            "toll_events_forgotten",
            passages=len(found.passage_ids),
            tag_reads=len(found.tag_read_ids),
        )
    return len(jobs)


def policy_of(context: JobContext) -> MatchingPolicy:
    """How events find each other, by the settings."""
    settings = context.settings.tolling
    return MatchingPolicy(
        window=settings.match_window, settle_after=settings.settle_after, wait=settings.wait
    )
