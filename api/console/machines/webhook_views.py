# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks and deliveries as the pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.pages.i18n import Speech
from central.webhooks.types import Delivery, Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A webhook; ``sites`` is empty for the whole province, ``trouble`` for one that works well."""

    id: str
    name: str
    url: str
    events: tuple[str, ...]
    sites: tuple[str, ...]
    state: str
    trouble: str
    since: str
    waiting: str
    last_delivered: str | None
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """A delivery as a row."""

    id: str
    event_id: str
    type: str
    made_at: str
    state: str
    attempts: str
    status: int | None
    failure: str | None
    latency: str | None
    next_at: str | None


def webhook_view(hook: Webhook, site_names: Mapping[str, str], speech: Speech) -> WebhookView:
    """A webhook with what is wrong with it."""
    trouble, since = "", None
    if hook.pause_reason is not None:
        trouble, since = f"paused_{hook.pause_reason}", hook.paused_at
    elif hook.failing_since is not None:
        trouble, since = "failing", hook.failing_since
    delivered = hook.last_delivered_at
    return WebhookView(
        id=str(hook.id),
        name=hook.name,
        url=hook.url,
        events=tuple(each.value for each in hook.events),
        sites=tuple(site_names.get(each, each) for each in hook.site_ids or ()),
        state=hook.state,
        trouble=trouble,
        since=speech.minute_and_date(since) if since is not None else "",
        waiting=speech.number(hook.waiting),
        last_delivered=speech.minute_and_date(delivered) if delivered is not None else None,
        made_at=speech.minute_and_date(hook.made_at),
        made_by=hook.made_by,
    )


def delivery_view(delivery: Delivery, speech: Speech) -> DeliveryView:
    """A delivery as a row."""
    latency, due = delivery.latency_ms, delivery.due_at
    return DeliveryView(
        id=str(delivery.id),
        event_id=str(delivery.event_id),
        type=delivery.type.value,
        made_at=speech.minute_and_date(delivery.made_at),
        state=delivery.state,
        attempts=speech.number(delivery.attempts),
        status=delivery.status,
        failure=delivery.failure,
        latency=speech.number(latency) if latency is not None else None,
        next_at=speech.minute_and_date(due) if due is not None and delivery.attempts else None,
    )
