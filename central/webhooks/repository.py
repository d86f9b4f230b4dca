# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of webhooks, events and deliveries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from central.db.queries import QueryFile
from central.webhooks.types import (
    SECRETS_MAX,
    WEBHOOKS_MAX,
    Attempt,
    Delivery,
    DeliveryCursor,
    DeliveryId,
    DeliveryState,
    EventType,
    Listener,
    NewWebhook,
    Outgoing,
    PauseReason,
    Webhook,
    WebhookId,
    WebhookState,
)

QUERIES: Final = QueryFile.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedWebhook:
    """A webhook that is about to change."""

    name: str
    state: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedWebhook:
    """A webhook that was paused just now."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _ListenerRow:
    id: UUID
    events: list[str]
    site_ids: list[str] | None
    is_sent_at_once: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _WebhookRow:
    id: UUID
    name: str
    url: str
    events: list[str]
    site_ids: list[str] | None
    state: str
    pause_reason: str | None
    paused_at: datetime | None
    failing_since: datetime | None
    made_by: str
    made_at: datetime
    version: int
    waiting: int
    last_delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _DeliveryRow:
    id: UUID
    event_id: UUID
    type: str
    made_at: datetime
    state: str
    attempts: int
    due_at: datetime | None
    attempted_at: datetime | None
    status: int | None
    failure: str | None
    latency_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OutgoingRow:
    id: UUID
    webhook_id: UUID
    event_id: UUID
    url: str
    body: str
    attempt: int
    salts: list[bytes]


class WebhookRepository:
    """Reads and writes on a connection whose transaction belongs to the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def listeners(
        self, types: Collection[EventType], *, now: datetime
    ) -> tuple[Listener, ...]:
        """Webhooks that want to hear of one of these types, the oldest first."""
        async with self._connection.cursor(row_factory=class_row(_ListenerRow)) as cursor:
            await cursor.execute(
                QUERIES["select_listeners"],
                {"types": sorted(types), "rows_max": WEBHOOKS_MAX, "now": now},
            )
            rows = await cursor.fetchall()
        return tuple(
            Listener(
                id=WebhookId(row.id),
                events=frozenset(_types_of(row.events)),
                site_ids=None if row.site_ids is None else frozenset(row.site_ids),
                is_sent_at_once=row.is_sent_at_once,
            )
            for row in rows
        )

    async def add_events(self, rows: Sequence[Mapping[str, str]], *, now: datetime) -> None:
        """Keep what is told; each row has ``id``, ``type`` and ``body``."""
        await self._do("insert_events", rows=Jsonb(list(rows)), now=now)

    async def add_deliveries(
        self, rows: Sequence[Mapping[str, str]], *, now: datetime, expires_at: datetime
    ) -> None:
        """Keep who is told; each row has ``id``, ``webhook_id`` and ``event_id``."""
        await self._do("insert_deliveries", rows=Jsonb(list(rows)), now=now, given_up_at=expires_at)

    async def count(self) -> int:
        """How many webhooks are not removed."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_webhooks"])
            return int(await cursor.fetchone() or 0)

    async def add(
        self,
        webhook_id: WebhookId,
        new: NewWebhook,
        *,
        client_id: int | None,
        made_by: str,
        now: datetime,
    ) -> bool:
        """Register a webhook; false when the name is taken."""
        return bool(
            await self._do(
                "insert_webhook",
                id=webhook_id,
                name=new.name,
                url=new.url,
                events=sorted(new.events),
                site_ids=None if new.site_ids is None else sorted(new.site_ids),
                client_id=client_id,
                made_by=made_by,
                now=now,
            )
        )

    async def lock(self, webhook_id: WebhookId, *, client_id: int | None) -> LockedWebhook | None:
        """A webhook; others who change it wait until the transaction ends."""
        async with self._connection.cursor(row_factory=class_row(LockedWebhook)) as cursor:
            await cursor.execute(
                QUERIES["lock_webhook"], {"webhook_id": webhook_id, "client_id": client_id}
            )
            return await cursor.fetchone()

    async def change_state(
        self,
        webhook_id: WebhookId,
        state: WebhookState,
        *,
        reason: PauseReason | None = None,
        now: datetime,
    ) -> None:
        """Pause, resume or remove a webhook."""
        await self._do("update_state", webhook_id=webhook_id, state=state, reason=reason, now=now)

    async def count_version(self, webhook_id: WebhookId) -> None:
        """A webhook is no longer what somebody saw of it."""
        await self._do("count_version", webhook_id=webhook_id)

    async def add_secret(
        self, webhook_id: WebhookId, salt: bytes, *, made_by: str, now: datetime
    ) -> None:
        """Keep what a new secret is made from."""
        await self._do("insert_secret", webhook_id=webhook_id, salt=salt, made_by=made_by, now=now)

    async def end_secrets(self, webhook_id: WebhookId, *, ends_at: datetime) -> None:
        """Let every secret of a webhook end at a time, if it does not end earlier."""
        await self._do("end_secrets", webhook_id=webhook_id, ends_at=ends_at)

    async def count_secrets(self, webhook_id: WebhookId, *, now: datetime) -> int:
        """How many secrets of a webhook sign its messages."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["count_secrets"], {"webhook_id": webhook_id, "now": now})
            return int(await cursor.fetchone() or 0)

    async def webhooks(
        self, webhook_id: WebhookId | None = None, *, client_id: int | None
    ) -> tuple[Webhook, ...]:
        """Webhooks by name, or one of them; of one program, or of everybody."""
        async with self._connection.cursor(row_factory=class_row(_WebhookRow)) as cursor:
            await cursor.execute(
                QUERIES["select_webhooks"],
                {"webhook_id": webhook_id, "client_id": client_id, "rows_max": WEBHOOKS_MAX},
            )
            return tuple(_webhook(row) for row in await cursor.fetchall())

    async def deliveries(
        self,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        after: DeliveryCursor | None,
        limit: int,
    ) -> tuple[Delivery, ...]:
        """Deliveries of a webhook, newest first."""
        async with self._connection.cursor(row_factory=class_row(_DeliveryRow)) as cursor:
            await cursor.execute(
                QUERIES["select_deliveries"],
                {
                    "webhook_id": webhook_id,
                    "state": state,
                    "after_at": after.at if after else None,
                    "after_id": after.id if after else None,
                    "rows_max": limit,
                },
            )
            return tuple(_delivery(row) for row in await cursor.fetchall())

    async def requeue(
        self,
        webhook_id: WebhookId,
        delivery_id: DeliveryId,
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Send a message again; false when the webhook has no such delivery."""
        return bool(
            await self._do(
                "requeue_delivery",
                webhook_id=webhook_id,
                delivery_id=delivery_id,
                now=now,
                expires_at=expires_at,
            )
        )

    async def claim(
        self, webhook_id: WebhookId, *, now: datetime, leased_until: datetime
    ) -> Outgoing | None:
        """The delivery that is due for longest, as a new attempt; ``None`` for none."""
        async with self._connection.cursor(row_factory=class_row(_OutgoingRow)) as cursor:
            await cursor.execute(
                QUERIES["claim_delivery"],
                {
                    "webhook_id": webhook_id,
                    "now": now,
                    "leased_until": leased_until,
                    "secrets_max": SECRETS_MAX,
                },
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        return Outgoing(
            id=DeliveryId(row.id),
            webhook_id=WebhookId(row.webhook_id),
            event_id=row.event_id,
            url=row.url,
            body=row.body,
            attempt=row.attempt,
            salts=tuple(row.salts),
        )

    async def note_delivered(self, sent: Outgoing, attempt: Attempt, *, now: datetime) -> None:
        """The receiver has taken a message, so the webhook works."""
        await self._do(
            "note_delivered",
            delivery_id=sent.id,
            now=now,
            status=attempt.status,
            latency_ms=attempt.latency_ms,
        )
        await self._do("note_well", webhook_id=sent.webhook_id)

    async def note_failed(
        self, sent: Outgoing, attempt: Attempt, *, now: datetime, next_at: datetime
    ) -> None:
        """An attempt failed; there is another one, unless it would come too late."""
        await self._do(
            "note_failed",
            delivery_id=sent.id,
            next_at=next_at,
            status=attempt.status,
            failure=attempt.failure,
            latency_ms=attempt.latency_ms,
        )
        await self._do("note_failing", webhook_id=sent.webhook_id, now=now)

    async def pause_gone(self, webhook_id: WebhookId, *, now: datetime) -> str | None:
        """Pause a webhook whose receiver is no longer there, and return its name."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(QUERIES["pause_gone"], {"webhook_id": webhook_id, "now": now})
            name: str | None = await cursor.fetchone()
        return name

    async def pause_failing(
        self, *, failing_before: datetime, now: datetime
    ) -> Sequence[PausedWebhook]:
        """Pause webhooks that have failed since before a time."""
        async with self._connection.cursor(row_factory=class_row(PausedWebhook)) as cursor:
            await cursor.execute(
                QUERIES["pause_failing"], {"failing_before": failing_before, "now": now}
            )
            return await cursor.fetchall()

    async def expire(self, *, now: datetime, limit: int) -> int:
        """Give up messages whose time is over; returns how many."""
        return await self._do("expire_deliveries", now=now, rows_max=limit)

    async def due(self, *, now: datetime) -> Sequence[UUID]:
        """Working webhooks with a message that is due."""
        async with self._connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(
                QUERIES["select_due_webhooks"], {"now": now, "rows_max": WEBHOOKS_MAX}
            )
            return await cursor.fetchall()

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Forget old events with their deliveries; returns how many events went."""
        return await self._do("delete_old_events", before=before, rows_max=limit)

    async def _do(self, query: str, **values: object) -> int:
        """Run a query and return how many rows it touched."""
        cursor = await self._connection.execute(QUERIES[query], values)
        return cursor.rowcount


def _types_of(texts: Collection[str]) -> tuple[EventType, ...]:
    """Types from their texts, in the order of the list; one that no longer exists is left out."""
    return tuple(each for each in EventType if each in texts)


def _webhook(row: _WebhookRow) -> Webhook:
    return Webhook(
        id=WebhookId(row.id),
        name=row.name,
        url=row.url,
        events=_types_of(row.events),
        site_ids=None if row.site_ids is None else tuple(row.site_ids),
        state=WebhookState(row.state),
        pause_reason=None if row.pause_reason is None else PauseReason(row.pause_reason),
        paused_at=row.paused_at,
        failing_since=row.failing_since,
        made_by=row.made_by,
        made_at=row.made_at,
        version=row.version,
        waiting=row.waiting,
        last_delivered_at=row.last_delivered_at,
    )


def _delivery(row: _DeliveryRow) -> Delivery:
    return Delivery(
        id=DeliveryId(row.id),
        event_id=row.event_id,
        type=EventType(row.type),
        made_at=row.made_at,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        attempted_at=row.attempted_at,
        status=row.status,
        failure=row.failure,
        latency_ms=row.latency_ms,
    )
