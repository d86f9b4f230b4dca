# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks, as programs register and read them."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from api.v1.schemas import StrictBody
from central.contracts.identifiers import Slug
from central.webhooks.types import (
    CHOOSABLE,
    NAME_LENGTH_MAX,
    SITES_MAX,
    URL_LENGTH_MAX,
    EventType,
    MadeSecret,
    NewWebhook,
    PauseReason,
    Webhook,
    WebhookState,
)


class NewWebhookBody(StrictBody):
    """A receiver to be told."""

    name: Annotated[
        str,
        Field(pattern=rf"^[a-z0-9][a-z0-9-]{{1,{NAME_LENGTH_MAX - 1}}}$", description="Its name."),
    ]
    url: Annotated[str, Field(min_length=1, max_length=URL_LENGTH_MAX)]
    events: Annotated[
        tuple[EventType, ...],
        Field(min_length=1, max_length=len(CHOOSABLE), description="What it is told."),
    ]
    site_ids: Annotated[
        tuple[Slug, ...] | None,
        Field(
            min_length=1,
            max_length=SITES_MAX,
            description="Sites whose events it is told; null for all that the key may see.",
        ),
    ] = None

    def webhook(self) -> NewWebhook:
        """The same as the service wants it."""
        return NewWebhook(
            name=self.name,
            url=self.url,
            events=frozenset(self.events),
            site_ids=None if self.site_ids is None else frozenset(self.site_ids),
        )


class WebhookBody(StrictBody):
    """A receiver, and how telling it goes."""

    id: UUID
    name: str
    url: str
    events: tuple[EventType, ...]
    site_ids: tuple[str, ...] | None
    state: WebhookState
    pause_reason: PauseReason | None
    paused_at: AwareDatetime | None
    failing_since: AwareDatetime | None = Field(
        description="First failure after the last success; null when the last one went well."
    )
    made_at: AwareDatetime
    waiting: int = Field(description="Messages that are not delivered yet.")
    last_delivered_at: AwareDatetime | None

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Describe a webhook."""
        return cls(
            id=webhook.id,
            name=webhook.name,
            url=webhook.url,
            events=webhook.events,
            site_ids=webhook.site_ids,
            state=webhook.state,
            pause_reason=webhook.pause_reason,
            paused_at=webhook.paused_at,
            failing_since=webhook.failing_since,
            made_at=webhook.made_at,
            waiting=webhook.waiting,
            last_delivered_at=webhook.last_delivered_at,
        )


class WebhookListBody(StrictBody):
    """The caller's webhooks by name; they are few, so there is one page."""

    webhooks: tuple[WebhookBody, ...]


class MadeSecretBody(StrictBody):
    """A secret that was made just now."""

    id: UUID = Field(description="Id of the webhook.")
    secret: str | None = Field(
        description="Signs the messages; told once and kept nowhere. Null when an answer is "
        "repeated: make a new one then."
    )

    @classmethod
    def of(cls, made: MadeSecret) -> Self:
        """Tell a secret."""
        return cls(id=made.webhook_id, secret=made.secret)


class WebhookTestBody(StrictBody):
    """A test message was queued."""

    id: UUID = Field(description="Id of the webhook.")
