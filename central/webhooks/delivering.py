# SPDX-License-Identifier: AGPL-3.0-or-later
"""Delivering messages: what is due, what became of it, and when to try again.

A message may arrive twice and out of order: receivers know it by its ``webhook-id``.
"""

import random
from datetime import datetime, timedelta
from typing import Final

import structlog
from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.repository import WebhookRepository
from central.webhooks.types import AGE_MAX, Attempt, Outgoing, WebhookId

LEASE: Final = timedelta(minutes=1)
"""An attempt whose end was not noted for so long died with its worker; longer than any attempt."""

FIRST_WAIT: Final = timedelta(seconds=15)
WAIT_GROWTH: Final = 4
WAIT_MAX: Final = timedelta(hours=6)
"""Waits are about 15 s, 1, 4, 16 and 64 min, 4 h, and 6 h from then on."""

WAIT_SPREAD: Final = 0.25
"""Waits are up to this share longer, so that what failed together does not return together."""

STATUS_GONE: Final = 410
EXPIRED_PER_SWEEP_MAX: Final = 5000
SUBJECT_KIND: Final = "webhook"

log = structlog.get_logger()


class DeliveryService:
    """What workers do with deliveries, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._rows = WebhookRepository(connection)
        self._outbox = WebhookOutbox(connection)
        self._audit = AuditService(connection)

    async def claim(self, webhook_id: WebhookId, *, now: datetime) -> Outgoing | None:
        """Begin an attempt at the message that is due for longest; ``None`` when none is."""
        return await self._rows.claim(webhook_id, now=now, leased_until=now + LEASE)

    async def note(self, sent: Outgoing, attempt: Attempt, *, now: datetime) -> None:
        """Write down how an attempt ended."""
        if attempt.failure is None:
            await self._rows.note_delivered(sent, attempt, now=now)
            return
        wait = wait_after(sent.attempt, spread=random.uniform(1, 1 + WAIT_SPREAD))  # noqa: S311
        await self._rows.note_failed(sent, attempt, now=now, next_at=now + wait)
        if attempt.status == STATUS_GONE:
            name = await self._rows.pause_gone(sent.webhook_id, now=now)
            if name is not None:
                await self._write_down(sent.webhook_id, reason="gone", now=now)

    async def sweep(self, *, now: datetime) -> int:
        """Give up what is too old, pause what fails for too long, and wake what has become due.

        Returns:
            How many webhooks were woken.
        """
        expired = await self._rows.expire(now=now, limit=EXPIRED_PER_SWEEP_MAX)
        if expired:
            log.warning("webhook_deliveries_given_up", deliveries=expired)
        for paused in await self._rows.pause_failing(failing_before=now - AGE_MAX, now=now):
            await self._write_down(WebhookId(paused.id), reason="failing", now=now)
        due = await self._rows.due(now=now)
        for webhook_id in due:
            await self._outbox.wake(WebhookId(webhook_id))
        return len(due)

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Forget events before a time with their deliveries; returns how many events went."""
        return await self._rows.forget(before=before, limit=limit)

    async def _write_down(self, webhook_id: WebhookId, *, reason: str, now: datetime) -> None:
        """A webhook was paused by us: administrators see it on its page and in the log."""
        log.error("webhook_paused", webhook_id=str(webhook_id), reason=reason)
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=Actor.service("webhooks"),
                action="webhook_paused",
                subject_kind=SUBJECT_KIND,
                subject_id=str(webhook_id),
                detail={"reason": reason},
            )
        )


def wait_after(attempt: int, *, spread: float) -> timedelta:
    """How long to wait after a failed attempt.

    Args:
        attempt: Its number, from 1.
        spread: Factor of at least 1.
    """
    growth: int = WAIT_GROWTH ** min(attempt - 1, 10)
    return min(FIRST_WAIT * growth, WAIT_MAX) * spread
