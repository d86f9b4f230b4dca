# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hands up what has changed, a sheet at a time, and notes each answer before the next one.

A run that is cut goes on where it stopped. A sheet whose answer was lost goes up again, which
changes nothing there. No transaction is open while the national centre is waited for.
"""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from psycopg import AsyncConnection

from central.national.pushing.repository import PushRepository
from central.national.pushing.types import (
    Answered,
    DueSheet,
    NotAnswered,
    PushReport,
    PushState,
)
from central.national.types import HOUR, Acceptance, Sheet

SETTLED_AFTER: Final = timedelta(minutes=2)
"""How long after its end an hour goes up for the first time; its last counts come within that."""

REFUSED_AGAIN_AFTER: Final = timedelta(days=1)
SHEETS_PER_RUN_MAX: Final = 250
"""Most sheets of one run: two runs a minute stay below what a key may ask for; the rest waits."""

SHEETS_COUNTED_MAX: Final = 100_000
FIRST_WAIT: Final = timedelta(seconds=30)
WAIT_MAX: Final = timedelta(minutes=30)
DOUBLINGS_MAX: Final = 10
WAIT_SPREAD: Final = 0.25

log = structlog.get_logger()

Transactions = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Link(Protocol):
    """Takes a sheet to the national centre."""

    async def put(self, sheet: Sheet) -> Answered | NotAnswered:
        """Hand a sheet up."""
        ...


async def push_due(
    transactions: Transactions,
    link: Link,
    *,
    clock: Callable[[], datetime],
    sheets_max: int = SHEETS_PER_RUN_MAX,
) -> PushReport:
    """Hand up what is due until nothing is left, the run is long enough, or nobody answers."""
    async with transactions() as connection:
        due = await PushRepository(connection).due(**_bounds(clock()), limit=sheets_max)
    report = PushReport()
    for each in due:
        async with transactions() as connection:
            sheet = await PushRepository(connection).sheet(each)
        answer = await _answer(link, each, sheet)
        if isinstance(answer, NotAnswered):
            await _note_trouble(transactions, answer.reason, now=clock())
            return replace(report, trouble=answer.reason)
        async with transactions() as connection:
            rows = PushRepository(connection)
            await rows.note_answer(sheet, refusal=answer.refusal, now=clock())
            await rows.end_trouble()
        report = _counted(report, answer)
        if answer.refusal is not None:
            log.error("national_sheet_refused", kind=sheet.kind, reason=answer.refusal)
    return report


async def may_try(connection: AsyncConnection, *, now: datetime) -> bool:
    """Whether the wait after the last failure is over."""
    trouble = await PushRepository(connection).trouble()
    return trouble is None or trouble.next_at <= now


async def push_state(connection: AsyncConnection, *, now: datetime) -> PushState:
    """How far handing up has come."""
    rows = PushRepository(connection)
    due = await rows.due(**_bounds(now), limit=SHEETS_COUNTED_MAX)
    counted = await rows.count_answered()
    return PushState(
        due=len(due),
        oldest_due_at=next((each.starts_at for each in due), None),
        answered=counted.answered,
        refused=counted.refused,
        answered_at=counted.answered_at,
        trouble=await rows.trouble(),
    )


async def _answer(link: Link, due: DueSheet, sheet: Sheet) -> Answered | NotAnswered:
    """What the national centre says; it is not asked about what it holds already."""
    if due.known_sha256 == sheet.content_sha256:
        return Answered(acceptance=Acceptance.UNCHANGED)
    return await link.put(sheet)


def _counted(report: PushReport, answer: Answered) -> PushReport:
    if answer.refusal is not None:
        return replace(report, refused=report.refused + 1)
    if answer.acceptance is Acceptance.STORED:
        return replace(report, stored=report.stored + 1)
    return replace(report, unchanged=report.unchanged + 1)


async def _note_trouble(transactions: Transactions, reason: str, *, now: datetime) -> None:
    async with transactions() as connection:
        rows = PushRepository(connection)
        before = await rows.trouble()
        failures = 1 if before is None else before.failures + 1
        spread = random.uniform(1, 1 + WAIT_SPREAD)  # noqa: S311 - no secret depends on it
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, DOUBLINGS_MAX), WAIT_MAX) * spread
        await rows.note_trouble(reason, failures=failures, next_at=now + wait, now=now)
    log.warning("national_push_failed", reason=reason, failures=failures)


def _bounds(now: datetime) -> dict[str, datetime]:
    return {
        "hours_before": now - HOUR - SETTLED_AFTER,
        "refused_before": now - REFUSED_AGAIN_AFTER,
    }
