# SPDX-License-Identifier: AGPL-3.0-or-later
"""What administrators do with webhooks."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from psycopg import AsyncConnection

from central.audit.service import AuditService
from central.audit.types import Actor, AuditEntry, JsonValue
from central.contracts.identifiers import SLUG_PATTERN
from central.errors import StaleVersionError
from central.identity.permissions import Permission
from central.identity.types import User
from central.machines.types import ProgramUser
from central.settings import read_secret
from central.webhook_settings import WebhookSettings
from central.webhooks import signing
from central.webhooks.addresses import AddressRules, target_of
from central.webhooks.errors import (
    AddressRefusedError,
    DeliveryNotFoundError,
    WebhookInvalidError,
    WebhookLimitError,
    WebhookNotFoundError,
    WebhooksOffError,
    WebhookStateError,
)
from central.webhooks.outbox import WebhookOutbox
from central.webhooks.repository import LockedWebhook, WebhookRepository
from central.webhooks.types import (
    AGE_MAX,
    CHOOSABLE,
    NAME_LENGTH_MAX,
    NEEDED,
    OVERLAP,
    SECRETS_MAX,
    SITES_MAX,
    WEBHOOKS_MAX,
    DeliveryCursor,
    DeliveryId,
    DeliveryPage,
    DeliveryState,
    EventType,
    Happening,
    MadeSecret,
    NewWebhook,
    PauseReason,
    Webhook,
    WebhookId,
    WebhookState,
)

SUBJECT_KIND: Final = "webhook"
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9-]{{1,{NAME_LENGTH_MAX - 1}}}")
_SITE: Final = re.compile(SLUG_PATTERN)


class WebhookAdministration:
    """What can be done with webhooks, in the caller's transaction; every change is audited.

    A program sees and changes its own webhooks only, and is told what it may ask for at its sites.
    Who names a version changes that version and no other.

    Every method raises ``PermissionDeniedError`` when the user may not manage webhooks, and those
    that take a webhook ``WebhookNotFoundError``; with a version ``StaleVersionError``.
    """

    def __init__(
        self, connection: AsyncConnection, *, settings: WebhookSettings, actor: Actor, user: User
    ) -> None:
        self._rows = WebhookRepository(connection)
        self._outbox = WebhookOutbox(connection)
        self._audit = AuditService(connection)
        self._settings = settings
        self._actor = actor
        self._user = user
        self._client_id = user.client_id if isinstance(user, ProgramUser) else None

    @property
    def is_on(self) -> bool:
        """Whether this centre has a key for the secrets of webhooks."""
        return self._settings.key_file is not None

    async def webhooks(self) -> tuple[Webhook, ...]:
        """All webhooks by name."""
        self._check()
        return await self._rows.webhooks(client_id=self._client_id)

    async def webhook(self, webhook_id: WebhookId) -> Webhook:
        """One webhook."""
        self._check()
        found = await self._rows.webhooks(webhook_id, client_id=self._client_id)
        if not found:
            raise WebhookNotFoundError
        return found[0]

    async def deliveries(
        self,
        webhook_id: WebhookId,
        *,
        state: DeliveryState | None,
        after: DeliveryCursor | None,
        size: int,
    ) -> DeliveryPage:
        """Deliveries of a webhook, newest first; of one state, or of any."""
        self._check()
        rows = await self._rows.deliveries(webhook_id, state=state, after=after, limit=size + 1)
        shown = rows[:size]
        return DeliveryPage(deliveries=shown, next=shown[-1].cursor if len(rows) > size else None)

    async def add(self, new: NewWebhook, *, now: datetime) -> MadeSecret:
        """Register a webhook and make its secret.

        Raises:
            WebhooksOffError: This centre has no key for it.
            WebhookInvalidError: A part is missing or wrong, or the name is taken.
            WebhookLimitError: There are as many as there may be.
        """
        self._check()
        key = self._key()
        new = self._within_rights(new)
        _check_new(new, AddressRules.of(self._settings))
        if await self._rows.count() >= WEBHOOKS_MAX:
            raise WebhookLimitError
        webhook_id = WebhookId(uuid4())
        if not await self._rows.add(
            webhook_id, new, client_id=self._client_id, made_by=self._actor.name, now=now
        ):
            raise WebhookInvalidError("taken")
        detail: dict[str, JsonValue] = {
            "name": new.name,
            "events": [*sorted(new.events)],
            "sites": None if new.site_ids is None else [*sorted(new.site_ids)],
        }
        await self._record("webhook_added", webhook_id, now=now, detail=detail)
        return await self._make_secret(webhook_id, new.name, key=key, now=now)

    async def rotate(
        self, webhook_id: WebhookId, *, version: int | None = None, now: datetime
    ) -> MadeSecret:
        """Make a new secret; messages are signed with the old one, too, for the overlap.

        Raises:
            WebhooksOffError: This centre has no key for it.
            WebhookLimitError: Too many secrets count at present.
        """
        self._check()
        key = self._key()
        locked = await self._locked(webhook_id, version=version)
        if await self._rows.count_secrets(webhook_id, now=now) >= SECRETS_MAX:
            raise WebhookLimitError
        await self._rows.end_secrets(webhook_id, ends_at=now + OVERLAP)
        await self._rows.count_version(webhook_id)
        await self._record("webhook_secret_rotated", webhook_id, now=now)
        return await self._make_secret(webhook_id, locked.name, key=key, now=now)

    async def pause(self, webhook_id: WebhookId, *, now: datetime) -> None:
        """Send nothing until somebody resumes it; messages wait, and are given up in time.

        Raises:
            WebhookStateError: It does not work.
        """
        self._check()
        await self._locked(webhook_id, state=WebhookState.WORKING)
        await self._rows.change_state(
            webhook_id, WebhookState.PAUSED, reason=PauseReason.PERSON, now=now
        )
        detail: dict[str, JsonValue] = {"reason": PauseReason.PERSON.value}
        await self._record("webhook_paused", webhook_id, now=now, detail=detail)

    async def resume(self, webhook_id: WebhookId, *, now: datetime) -> None:
        """Send again, first what waits.

        Raises:
            WebhookStateError: It is not paused.
        """
        self._check()
        await self._locked(webhook_id, state=WebhookState.PAUSED)
        await self._rows.change_state(webhook_id, WebhookState.WORKING, now=now)
        await self._record("webhook_resumed", webhook_id, now=now)
        await self._outbox.wake(webhook_id)

    async def remove(
        self, webhook_id: WebhookId, *, version: int | None = None, now: datetime
    ) -> None:
        """Send nothing any more."""
        self._check()
        await self._locked(webhook_id, version=version)
        await self._rows.change_state(webhook_id, WebhookState.REMOVED, now=now)
        await self._record("webhook_removed", webhook_id, now=now)

    async def test(self, webhook_id: WebhookId, *, now: datetime) -> None:
        """Send a message that says nothing but that it is a test.

        Raises:
            WebhookStateError: It does not work.
        """
        self._check()
        await self._locked(webhook_id, state=WebhookState.WORKING)
        await self._outbox.put_for(
            webhook_id,
            Happening(type=EventType.TEST, subject="webhook", subject_id=str(webhook_id)),
            now=now,
        )
        await self._record("webhook_tested", webhook_id, now=now)

    async def send_again(
        self, webhook_id: WebhookId, delivery_id: DeliveryId, *, now: datetime
    ) -> None:
        """Send a message again, with the same id.

        Raises:
            WebhookStateError: The webhook does not work.
            DeliveryNotFoundError: It has no such delivery.
        """
        self._check()
        await self._locked(webhook_id, state=WebhookState.WORKING)
        is_queued = await self._rows.requeue(
            webhook_id, delivery_id, now=now, expires_at=now + AGE_MAX
        )
        if not is_queued:
            raise DeliveryNotFoundError
        await self._outbox.wake(webhook_id)
        detail: dict[str, JsonValue] = {"delivery": str(delivery_id)}
        await self._record("webhook_sent_again", webhook_id, now=now, detail=detail)

    def _check(self) -> None:
        """Stop unless the user may manage webhooks."""
        self._user.require(Permission.MANAGE_WEBHOOKS)

    def _within_rights(self, new: NewWebhook) -> NewWebhook:
        """A webhook of a program hears of its sites, and of what the program may ask for.

        Raises:
            WebhookInvalidError: It would hear of more.
        """
        if self._client_id is None:
            return new
        may_hear = {each for each, needed in NEEDED.items() if self._user.may(needed)}
        if not new.events <= may_hear:
            raise WebhookInvalidError("events")
        scope = self._user.scope
        if new.site_ids is None:
            return replace(new, site_ids=scope.site_ids)
        if not scope.covers(new.site_ids):
            raise WebhookInvalidError("sites")
        return new

    def _key(self) -> str:
        """The key from which secrets are made."""
        if self._settings.key_file is None:
            raise WebhooksOffError
        return read_secret(self._settings.key_file)

    async def _locked(
        self,
        webhook_id: WebhookId,
        *,
        state: WebhookState | None = None,
        version: int | None = None,
    ) -> LockedWebhook:
        """A webhook, if it is in the state and has the version that is needed."""
        locked = await self._rows.lock(webhook_id, client_id=self._client_id)
        if locked is None:
            raise WebhookNotFoundError
        if version is not None and locked.version != version:
            raise StaleVersionError("webhook")
        if state is not None and locked.state != state:
            raise WebhookStateError
        return locked

    async def _make_secret(
        self, webhook_id: WebhookId, name: str, *, key: str, now: datetime
    ) -> MadeSecret:
        """Make a secret and keep its salt."""
        salt = signing.fresh_salt()
        await self._rows.add_secret(webhook_id, salt, made_by=self._actor.name, now=now)
        return MadeSecret(
            webhook_id=webhook_id, name=name, secret=signing.written(signing.secret_of(key, salt))
        )

    async def _record(
        self,
        action: str,
        webhook_id: WebhookId,
        *,
        now: datetime,
        detail: dict[str, JsonValue] | None = None,
    ) -> None:
        await self._audit.record(
            AuditEntry(
                occurred_at=now,
                actor=self._actor,
                action=action,
                subject_kind=SUBJECT_KIND,
                subject_id=str(webhook_id),
                detail=detail or {},
            )
        )


def _check_new(new: NewWebhook, rules: AddressRules) -> None:
    """Stop at the first part that is missing or wrong."""
    sites = new.site_ids
    problems = {
        "name": _NAME.fullmatch(new.name) is None,
        "events": not new.events or not new.events <= set(CHOOSABLE),
        "sites": sites is not None
        and (
            not 1 <= len(sites) <= SITES_MAX or any(_SITE.fullmatch(each) is None for each in sites)
        ),
    }
    for part, is_wrong in problems.items():
        if is_wrong:
            raise WebhookInvalidError(part)
    try:
        target_of(new.url, rules)
    except AddressRefusedError as error:
        raise WebhookInvalidError(f"url_{error.reason}") from error
