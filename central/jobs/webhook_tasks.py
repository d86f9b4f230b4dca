# SPDX-License-Identifier: AGPL-3.0-or-later
"""Work about webhooks: sending what is due, waking what waits, forgetting what is old."""

import time
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from central.errors import SettingsError
from central.jobs.context import JobContext
from central.settings import read_secret
from central.webhooks import signing
from central.webhooks.addresses import AddressRules, Resolver, system_resolver
from central.webhooks.delivering import DeliveryService
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.sending import send
from central.webhooks.types import Attempt, Outgoing, WebhookId

SENT_PER_JOB_MAX: Final = 50
"""Most messages of one job; more is left for its next turn. Higher: a fast receiver gets a backlog
sooner, and keeps its place for longer."""

TURN_MAX: Final = timedelta(seconds=10)
"""How long one webhook keeps a place; with more to send it queues again behind the others. Higher:
a slow receiver gets a backlog sooner, and others wait longer for their turn."""

ROWS_PER_COMMIT: Final = 5000

log = structlog.get_logger()


async def send_webhooks(
    context: JobContext, *, webhook_id: str, resolver: Resolver = system_resolver
) -> None:
    """Send the messages of one webhook that are due, until one of them fails.

    No transaction is open while a receiver is waited for. After a failure the rest waits for the
    sweep, so that a receiver that is down takes one attempt's time and no more. One that is slow
    gives its place to others after its turn.

    Raises:
        SettingsError: The key for signatures is missing.
    """
    key_file = context.settings.webhooks.key_file
    if key_file is None:
        raise SettingsError("no key file for webhooks is set")
    key = read_secret(key_file)
    turn_ends_s = time.monotonic() + TURN_MAX.total_seconds()
    for _ in range(SENT_PER_JOB_MAX):
        async with context.transaction() as connection:
            outgoing = await DeliveryService(connection).claim(
                WebhookId(UUID(webhook_id)), now=context.now()
            )
        if outgoing is None:
            return
        attempt = await _attempt(context, outgoing, key=key, resolver=resolver)
        async with context.transaction() as connection:
            await DeliveryService(connection).note(outgoing, attempt, now=context.now())
        if attempt.failure is not None:
            log.warning(
                "webhook_not_delivered",
                webhook_id=webhook_id,
                delivery_id=str(outgoing.id),
                attempt=outgoing.attempt,
                failure=attempt.failure,
                status=attempt.status,
            )
            return
        if time.monotonic() >= turn_ends_s:
            break
    async with context.transaction() as connection:
        await WebhookOutbox(connection).wake(WebhookId(UUID(webhook_id)))


async def send_due_webhooks(context: JobContext) -> int:
    """Wake webhooks with messages that are due; returns how many."""
    if context.settings.webhooks.key_file is None:
        return 0
    async with context.transaction() as connection:
        return await DeliveryService(connection).sweep(now=context.now())


async def forget_webhook_deliveries(context: JobContext) -> int:
    """Forget events whose time is over with their deliveries; returns how many events went."""
    async with context.transaction() as connection:
        return await DeliveryService(connection).forget(
            before=context.now() - context.settings.webhooks.keep, limit=ROWS_PER_COMMIT
        )


async def _attempt(
    context: JobContext, outgoing: Outgoing, *, key: str, resolver: Resolver
) -> Attempt:
    """Sign a message with every secret that counts, and send it."""
    settings = context.settings.webhooks
    body = outgoing.body.encode()
    headers = signing.signed_headers(
        body,
        event_id=outgoing.event_id,
        sent_at=context.now(),
        signing_secrets=[signing.secret_of(key, salt) for salt in outgoing.salts],
    )
    return await send(
        outgoing.url,
        body,
        headers,
        rules=AddressRules.of(settings),
        resolver=resolver,
        ca_file=settings.ca_file,
    )
