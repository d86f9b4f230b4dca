# SPDX-License-Identifier: AGPL-3.0-or-later
"""The periodic work about completeness."""

from typing import Final

import structlog

from central.completeness.stating import StatementMaker
from central.completeness.watching import follow_gaps as follow
from central.documents.signing import signing_key
from central.jobs.context import JobContext
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.types import EventType, Happening

MAKER: Final = "make_statements"

log = structlog.get_logger()


async def follow_gaps(context: JobContext) -> int:
    """Note new gaps, end filled ones, begin alarms; returns how many gaps changed."""
    now = context.now()
    async with context.transaction() as connection:
        followed = await follow(
            connection, outbox_age_max=context.settings.jobs.outbox_age_max, now=now
        )
        await WebhookOutbox(connection).put(
            [
                Happening(
                    type=EventType.DEVICE_NUMBERS_LOST,
                    subject="device",
                    subject_id=device.device_id,
                    site_id=device.site_id,
                    path=f"/v1/devices/{device.device_id}/completeness",
                )
                for device in followed.overdue
            ],
            now=now,
        )
    for device in followed.overdue:
        log.error("device_numbers_lost", device_id=device.device_id, numbers=device.numbers)
    return followed.noted + followed.filled + len(followed.overdue)


async def make_statements(context: JobContext) -> int:
    """State what the ledgers of the last days say; returns how many statements are new.

    Yesterday always; the days before when late data changed what was stated.
    """
    settings = context.settings
    key = signing_key(settings.documents)
    now = context.now()
    async with context.transaction() as connection:
        days = await StatementMaker(connection, office=settings.office, key=key).due(now=now)
    made = 0
    for day in days:
        async with context.transaction() as connection:
            maker = StatementMaker(connection, office=settings.office, key=key)
            stated = await maker.state(day, maker=MAKER, now=now)
        if stated.is_new:
            made += 1
            kept = stated.statement
            log.info(
                "completeness_stated",
                day=str(day),
                revision=kept.revision,
                sha256=kept.content_sha256,
                gaps=kept.gap_count,
                is_signed=kept.signed_by is not None,
            )
    return made
