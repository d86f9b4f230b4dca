# SPDX-License-Identifier: AGPL-3.0-or-later
"""Telling webhooks, in the transaction of what happened: no commit, no message, and the reverse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from central.contracts.webhook import WebhookSubjectV1, WebhookV1
from central.db.deferring import WEBHOOK_QUEUE, Job, defer_async
from central.webhooks.repository import WebhookRepository
from central.webhooks.types import AGE_MAX, Happening, WebhookId

TASK_SEND: Final = "send_webhooks"


class WebhookOutbox:
    """Where features put what happened, in the caller's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._rows = WebhookRepository(connection)

    async def put(self, happenings: Sequence[Happening], *, now: datetime) -> int:
        """Queue a message for each webhook that wants to hear of it; returns how many.

        A webhook that fails at present gets its messages with the next sweep, one that is paused
        when it works again: neither keeps the others waiting.
        """
        if not happenings:
            return 0
        listeners = await self._rows.listeners({each.type for each in happenings}, now=now)
        heard = [
            (each, hearing)
            for each in happenings
            if (hearing := tuple(one for one in listeners if one.hears(each)))
        ]
        queued = [
            (happening, uuid4(), tuple(one.id for one in hearing)) for happening, hearing in heard
        ]
        await self._keep(queued, now=now)
        at_once = {one.id for _, hearing in heard for one in hearing if one.is_sent_at_once}
        for webhook_id in sorted(at_once):
            await self.wake(webhook_id)
        return sum(len(webhook_ids) for *_, webhook_ids in queued)

    async def put_for(self, webhook_id: WebhookId, happening: Happening, *, now: datetime) -> None:
        """Queue a message for one webhook, whatever it was registered for."""
        await self._keep([(happening, uuid4(), (webhook_id,))], now=now)
        await self.wake(webhook_id)

    async def wake(self, webhook_id: WebhookId) -> None:
        """Have a webhook's messages sent; one job of a webhook runs at a time."""
        await defer_async(
            self._connection,
            Job(
                task=TASK_SEND,
                queue=WEBHOOK_QUEUE,
                arguments={"webhook_id": str(webhook_id)},
                lock=f"webhook:{webhook_id}",
            ),
        )

    async def _keep(
        self,
        queued: Sequence[tuple[Happening, UUID, Sequence[WebhookId]]],
        *,
        now: datetime,
    ) -> None:
        """Store messages and who gets them."""
        if not queued:
            return
        await self._rows.add_events(
            [
                {
                    "id": str(event_id),
                    "type": happening.type.value,
                    "body": _message(happening, event_id, now=now).to_json().decode(),
                }
                for happening, event_id, _ in queued
            ],
            now=now,
        )
        await self._rows.add_deliveries(
            [
                {"id": str(uuid4()), "webhook_id": str(each), "event_id": str(event_id)}
                for _, event_id, webhook_ids in queued
                for each in webhook_ids
            ],
            now=now,
            expires_at=now + AGE_MAX,
        )


def _message(happening: Happening, event_id: UUID, *, now: datetime) -> WebhookV1:
    """What is told of something."""
    return WebhookV1(
        id=event_id,
        type=happening.type.value,
        timestamp=now,
        data=WebhookSubjectV1(
            subject=happening.subject,
            id=happening.subject_id,
            site_id=happening.site_id,
            state=happening.state,
            rule=happening.rule,
            path=happening.path,
        ),
    )
