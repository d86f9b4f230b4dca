# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs of tolling: each event is matched in a transaction of its own, and twice does no harm."""

from uuid import UUID

from central.jobs.context import JobContext
from central.tolling.service import TollService
from central.tolling.types import MatchingPolicy


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


async def end_waiting(context: JobContext, *, crossing_id: str, is_last: bool = True) -> None:
    """Settle a crossing of which only one event came."""
    async with context.transaction() as connection:
        service = TollService(connection, policy=policy_of(context))
        await service.end_waiting(UUID(crossing_id), is_last=is_last, now=context.now())


def policy_of(context: JobContext) -> MatchingPolicy:
    """How events find each other, by the settings."""
    settings = context.settings.tolling
    return MatchingPolicy(
        window=settings.match_window, settle_after=settings.settle_after, wait=settings.wait
    )
