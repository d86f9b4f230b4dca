# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicle control's work: judging each commit of passages, and looking for forgotten ones."""

from datetime import timedelta
from typing import Final

import structlog

from central.control.judging import JudgingService
from central.control.service import AlertService
from central.db.deferring import Job, defer_async
from central.jobs.context import JobContext
from central.passages.service import PassageService

JUDGE_TASK: Final = "judge_passages"
"""Name under which ingest defers the work."""

FORGOTTEN_AFTER: Final = timedelta(minutes=2)
"""A commit that is still unjudged so long after it was stored is queued again. Higher: its alerts
come later; lower: jobs that are merely waiting are doubled."""

SWEPT_MAX: Final = 200
"""Most commits of one sweep; more is left for the next."""

FEED_ROWS_PER_COMMIT: Final = 5000

log = structlog.get_logger()


async def judge_passages(context: JobContext, *, position: int) -> None:
    """Judge what one commit stored; again, it changes nothing."""
    now = context.now()
    async with context.transaction() as connection:
        judgement = await JudgingService(connection).judge_commit(position, now=now)
    if judgement is not None and (judgement.raised or judgement.late):
        log.info(
            "passages_judged",
            position=position,
            judged=judgement.judged,
            raised=judgement.raised,
            sighted=judgement.sighted,
            late=judgement.late,
        )


async def judge_forgotten(context: JobContext) -> int:
    """Queue commits again whose job never ran or was given up; returns how many."""
    async with context.transaction() as connection:
        passages = PassageService(connection)
        positions = await passages.unjudged_positions(
            before=context.now() - FORGOTTEN_AFTER, limit=SWEPT_MAX
        )
        for position in positions:
            await defer_async(connection, Job(task=JUDGE_TASK, arguments={"position": position}))
        waiting = await passages.count_unjudged() if positions else 0
    if positions:
        log.warning("passages_unjudged", commits=waiting)
    return len(positions)


async def trim_alert_feed(context: JobContext) -> int:
    """Forget the past of the alerts' live feed; returns how many entries went."""
    async with context.transaction() as connection:
        return await AlertService(connection).forget_feed(
            before=context.now() - context.settings.jobs.feed_keep, limit=FEED_ROWS_PER_COMMIT
        )
