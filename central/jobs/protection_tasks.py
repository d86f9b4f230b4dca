# SPDX-License-Identifier: AGPL-3.0-or-later
"""Jobs of data protection: unusual looks, and what has been kept for long enough."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog
from psycopg import AsyncConnection

from central.audit.types import Actor
from central.documents.signing import signing_key
from central.domain.local_time import local_date
from central.jobs.context import JobContext
from central.protection.keeping.event_ids import EventIds
from central.protection.keeping.service import Keeper
from central.protection.keeping.types import CLOSED, SPANNED, ErasureRecord, Kept
from central.protection.requests import DataRequestService
from central.protection.service import ProtectionService
from central.settings import read_secret

DAYS_BACK: Final = 1
SPANS_MAX: Final = 60
"""Most spans of one run: the rest waits for the next one."""
ID_WALKS_MAX: Final = 2000
"""Most transactions of one run that look at ids of events. Higher: a first run ends sooner, and has
the database for longer."""

log = structlog.get_logger()


async def find_unusual_looks(context: JobContext) -> int:
    """Judge the looks of yesterday and today; returns how many are unusual."""
    now = context.now()
    file = context.settings.relatives_key_file
    key = (await asyncio.to_thread(read_secret, file)).encode() if file is not None else None
    found = 0
    async with context.transaction() as connection:
        service = ProtectionService(connection)
        for back in range(DAYS_BACK, -1, -1):
            day = local_date(now) - timedelta(days=back)
            found += await service.find_unusual(on=day, key=key, now=now)
    return found


async def sign_erasure_certificate(context: JobContext, *, request_code: str) -> None:
    """Sign the paper about an erasure; without a key it stays as it is, to be signed by hand.

    Raises:
        SigningKeyError: The key is unfit; the job is tried again.
    """
    key = signing_key(context.settings.documents)
    if key is None:
        log.warning("erasure_certificate_unsigned", request_code=request_code)
        return
    async with context.transaction() as connection:
        is_new = await DataRequestService(connection).sign_certificate(
            request_code, key=key, now=context.now()
        )
    log.info("erasure_certificate_signed", request_code=request_code, is_new=is_new)


async def erase_by_date(context: JobContext) -> int:
    """Erase what nothing keeps any longer; returns how many rows went.

    Each span has a transaction of its own, so that a run that is cut off has done what it did.
    """
    now = context.now()
    erased = 0
    for data in SPANNED:
        for _ in range(SPANS_MAX):
            async with context.transaction() as connection:
                keeper = _keeper(context, connection)
                span = await keeper.due_span(data, now=now)
                if span is None:
                    if data is Kept.PASSAGES:
                        await keeper.release_strays(now=now)
                    break
                record = await keeper.judge(span, now=now)
            if record is not None:
                erased += record.erased
                _log(record)
    for data in CLOSED:
        erased += await _erase_closed(context, data, now=now)
    return erased


async def _erase_closed(context: JobContext, data: Kept, *, now: datetime) -> int:
    """Erase what is kept from its closing on, some at a time."""
    erased = 0
    for _ in range(SPANS_MAX):
        async with context.transaction() as connection:
            keeper = _keeper(context, connection)
            record = await keeper.judge_closed(data, now=now)
            if record is None:
                if data is Kept.ALERTS:
                    await keeper.erase_lone_sightings(now=now)
                break
        erased += record.erased
        _log(record)
    return erased


def _keeper(context: JobContext, connection: AsyncConnection) -> Keeper:
    settings = context.settings
    return Keeper(
        connection,
        settings=settings.retention,
        limits=settings.ingest.time_limits,
        office=settings.office,
        key=signing_key(settings.documents),
        actor=Actor.service("erase_by_date"),
    )


def _log(record: ErasureRecord) -> None:
    log.info(
        "rows_erased_by_date",
        data=record.data.value,
        since=record.since.isoformat(),
        erased=record.erased,
        pictures=record.pictures,
        way=record.way.value,
    )


async def forget_event_ids(context: JobContext) -> int:
    """Erase ids of events that are too old to come again; returns how many went.

    Each step has a transaction of its own, so that ingest never waits for long.
    """
    limits, now = context.settings.ingest.time_limits, context.now()
    forgotten = 0
    for is_recording in (False, True):
        for _ in range(ID_WALKS_MAX):
            async with context.transaction() as connection:
                ids = EventIds(connection, limits=limits)
                went = await ids.forget_some(is_recording=is_recording, now=now)
            if went is None:
                break
            forgotten += went
    return forgotten
