# SPDX-License-Identifier: AGPL-3.0-or-later
"""Values about webhooks, what they tell, and how it was delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NewType
from uuid import UUID

from central.identity.permissions import Permission

WebhookId = NewType("WebhookId", UUID)
DeliveryId = NewType("DeliveryId", UUID)

NAME_LENGTH_MAX: Final = 40
URL_LENGTH_MAX: Final = 500
SITES_MAX: Final = 200
WEBHOOKS_MAX: Final = 20
"""Webhooks that are not removed. Higher: more receivers, and more rows for each event."""

SECRETS_MAX: Final = 3
"""Secrets of one webhook that count at a time; each signs every message."""

OVERLAP: Final = timedelta(days=7)
"""For how long messages are signed with the old secret, too, after a new one was made."""

AGE_MAX: Final = timedelta(days=3)
"""How long a delivery is tried, and a webhook may fail before it is paused. Higher: longer outages
of a receiver are forgiven, and it gets older news afterwards."""


class EventType(StrEnum):
    """What webhooks tell."""

    ALERT_RAISED = "alert.raised"
    ALERT_ACKNOWLEDGED = "alert.acknowledged"
    ALERT_CLOSED = "alert.closed"
    DOSSIER_CHANGED = "dossier.changed"
    DEVICE_SILENT = "device.silent"
    DEVICE_HEARD_AGAIN = "device.heard_again"
    DEVICE_NUMBERS_LOST = "device.numbers_lost"
    TEST = "webhook.test"


CHOOSABLE: Final = tuple(each for each in EventType if each is not EventType.TEST)
"""What a webhook can be registered for; the test is sent by hand."""

NEEDED: Final[Mapping[EventType, Permission]] = MappingProxyType(
    {
        EventType.ALERT_RAISED: Permission.SEE_ALERTS,
        EventType.ALERT_ACKNOWLEDGED: Permission.SEE_ALERTS,
        EventType.ALERT_CLOSED: Permission.SEE_ALERTS,
        EventType.DOSSIER_CHANGED: Permission.SEE_DOSSIERS,
        EventType.DEVICE_SILENT: Permission.SEE_DEVICES,
        EventType.DEVICE_HEARD_AGAIN: Permission.SEE_DEVICES,
        EventType.DEVICE_NUMBERS_LOST: Permission.SEE_DEVICES,
    }
)
"""What a program must be allowed to be told of something: no more than it could ask for."""

SubjectKind = Literal["alert", "dossier", "device", "webhook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened.

    Attributes:
        site_id: Where; ``None`` for what has no place, which webhooks of some sites never hear of.
        path: Address under ``/v1`` that tells more; ``None`` where there is none.
    """

    type: EventType
    subject: SubjectKind
    subject_id: str
    site_id: str | None = None
    state: str | None = None
    rule: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A webhook that may have to hear of something."""

    id: WebhookId
    events: frozenset[EventType]
    site_ids: frozenset[str] | None
    is_sent_at_once: bool

    def hears(self, happening: Happening) -> bool:
        """Whether something concerns this webhook."""
        is_near = self.site_ids is None or happening.site_id in self.site_ids
        return is_near and happening.type in self.events


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A webhook to be registered.

    Attributes:
        url: Address that messages are sent to.
        site_ids: Sites whose events it hears; ``None`` for the whole province and for what has no
            place.
    """

    name: str
    url: str
    events: frozenset[EventType]
    site_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeSecret:
    """A secret that was made just now; ``secret`` is shown once and kept nowhere."""

    webhook_id: WebhookId
    name: str
    secret: str = field(repr=False)


class WebhookState(StrEnum):
    """Whether messages are sent."""

    WORKING = "working"
    PAUSED = "paused"
    REMOVED = "removed"


class PauseReason(StrEnum):
    """Why no messages are sent."""

    PERSON = "person"
    FAILING = "failing"
    GONE = "gone"


class DeliveryState(StrEnum):
    """How far a message to one receiver is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook as administrators see it.

    Attributes:
        failing_since: First failure after the last success; ``None`` when the last one went well.
        waiting: Deliveries that have not ended.
        last_delivered_at: Newest success among those that are kept.
    """

    id: WebhookId
    name: str
    url: str
    events: tuple[EventType, ...]
    site_ids: tuple[str, ...] | None
    state: WebhookState
    pause_reason: PauseReason | None
    paused_at: datetime | None
    failing_since: datetime | None
    made_by: str
    made_at: datetime
    version: int
    waiting: int
    last_delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCursor:
    """Where a page of deliveries goes on."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to one receiver.

    Attributes:
        status: HTTP status of the newest answer; ``None`` when there was none.
        failure: Why the newest attempt failed, as a word; ``None`` when it did not.
        latency_ms: How long the newest answer took.
    """

    id: DeliveryId
    event_id: UUID
    type: EventType
    made_at: datetime
    state: DeliveryState
    attempts: int
    due_at: datetime | None
    attempted_at: datetime | None
    status: int | None
    failure: str | None
    latency_ms: int | None

    @property
    def cursor(self) -> DeliveryCursor:
        """Where a page that ends here goes on."""
        return DeliveryCursor(at=self.made_at, id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """Some deliveries, newest first."""

    deliveries: tuple[Delivery, ...]
    next: DeliveryCursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One attempt at a delivery.

    Attributes:
        attempt: Number of this attempt since the delivery was last queued, from 1.
        salts: What the secrets that count are made from, the newest first.
        body: The message, the same bytes at every attempt.
    """

    id: DeliveryId
    webhook_id: WebhookId
    event_id: UUID
    url: str
    body: str
    attempt: int
    salts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt ended; ``failure`` is ``None`` when the receiver took the message."""

    status: int | None
    failure: str | None
    latency_ms: int
