# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks for programs: each registers, tests, renews and removes its own."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Depends
from starlette.responses import Response

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now, ProcessDep
from api.v1.documented import problems
from api.v1.once import OnceDep, Outcome
from api.v1.versions import SeenVersion, held_to_version, tag_of
from api.v1.webhook_schemas import (
    MadeSecretBody,
    NewWebhookBody,
    WebhookBody,
    WebhookListBody,
    WebhookTestBody,
)
from central.webhooks.service import WebhookAdministration
from central.webhooks.types import MadeSecret, WebhookId

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")
_ONCE: Final = ("cross-origin-request", "idempotency-key-pending", "idempotency-key-reused")
_SEEN: Final = ("precondition-needed", "precondition-failed")


async def hooks_of(
    acting: ActingDep, connection: Connection, process: ProcessDep
) -> WebhookAdministration:
    """What the caller may do with webhooks."""
    return WebhookAdministration(
        connection, settings=process.settings.webhooks, actor=acting.actor, user=acting.user
    )


Hooks = Annotated[WebhookAdministration, Depends(hooks_of, scope="function")]


@router.get("", responses=problems(*_PROBLEMS))
async def list_webhooks(*, hooks: Hooks) -> WebhookListBody:
    """The caller's own webhooks by name; an administrator's session sees all."""
    return WebhookListBody(webhooks=tuple(WebhookBody.of(each) for each in await hooks.webhooks()))


@router.post(
    "",
    status_code=201,
    response_model=MadeSecretBody,
    responses=problems(
        *_PROBLEMS, *_ONCE, "webhook-invalid", "webhook-limit", "webhooks-off", "body-too-large"
    ),
)
async def add_webhook(
    body: Annotated[NewWebhookBody, Body()], *, once: OnceDep, hooks: Hooks, now: Now
) -> Response:
    """Register a receiver and make its secret, which is told this once."""

    async def change() -> Outcome:
        return _told(await hooks.add(body.webhook(), now=now), version=1, status=201)

    return await once.answer(change)


@router.get("/{webhook_id}", responses=problems(*_PROBLEMS, "webhook-not-found"))
async def get_webhook(webhook_id: UUID, response: Response, *, hooks: Hooks) -> WebhookBody:
    """One webhook, with the `ETag` that changing it needs."""
    found = await hooks.webhook(WebhookId(webhook_id))
    response.headers["ETag"] = tag_of(found.version)
    return WebhookBody.of(found)


@router.post(
    "/{webhook_id}/secret",
    response_model=MadeSecretBody,
    responses=problems(
        *_PROBLEMS, *_ONCE, *_SEEN, "webhook-not-found", "webhook-limit", "webhooks-off"
    ),
)
async def renew_webhook_secret(
    webhook_id: UUID, version: SeenVersion, *, once: OnceDep, hooks: Hooks, now: Now
) -> Response:
    """Make a new secret; messages are signed with the old one, too, for seven days."""

    async def change() -> Outcome:
        with held_to_version():
            made = await hooks.rotate(WebhookId(webhook_id), version=version, now=now)
        return _told(made, version=version + 1)

    return await once.answer(change)


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    response_model=WebhookTestBody,
    responses=problems(*_PROBLEMS, *_ONCE, "webhook-not-found", "webhook-state"),
)
async def test_webhook(webhook_id: UUID, *, once: OnceDep, hooks: Hooks, now: Now) -> Response:
    """Send a message that says nothing but that it is a test."""

    async def change() -> Outcome:
        await hooks.test(WebhookId(webhook_id), now=now)
        return Outcome(body=WebhookTestBody(id=webhook_id), status=202)

    return await once.answer(change)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    responses=problems(*_PROBLEMS, *_SEEN, "cross-origin-request", "webhook-not-found"),
)
async def remove_webhook(webhook_id: UUID, version: SeenVersion, *, hooks: Hooks, now: Now) -> None:
    """Send nothing any more."""
    with held_to_version():
        await hooks.remove(WebhookId(webhook_id), version=version, now=now)


def _told(made: MadeSecret, *, version: int, status: int = 200) -> Outcome:
    """A secret as it is told, and the same answer without it as it is kept."""
    body = MadeSecretBody.of(made)
    return Outcome(
        body=body,
        kept_body=body.model_copy(update={"secret": None}),
        status=status,
        headers={"ETag": tag_of(version)},
    )
