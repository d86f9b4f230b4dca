# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks: the list with a form for a new one, and one with what was sent to it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from api.console.machines.webhook_views import delivery_view, webhook_view
from api.console.parts import Console, ConsoleParts
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now, ProcessDep
from api.pages.rendering import language_of
from central.sites.service import SiteService
from central.sites.types import Site
from central.webhooks.errors import (
    WebhookInvalidError,
    WebhookLimitError,
    WebhooksOffError,
)
from central.webhooks.service import WebhookAdministration
from central.webhooks.types import (
    CHOOSABLE,
    SITES_MAX,
    URL_LENGTH_MAX,
    DeliveryCursor,
    DeliveryId,
    DeliveryState,
    EventType,
    MadeSecret,
    NewWebhook,
    WebhookId,
)

LIST_PATH: Final = "/console/webhooks"
ONE_PATH: Final = f"{LIST_PATH}/{{webhook_id}}"
PAGE_SIZE: Final = 50

router = APIRouter(include_in_schema=False)

Text = Annotated[str, Field(max_length=URL_LENGTH_MAX)]


class WebhookForm(BaseModel):
    """A new webhook as it was filled in."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Text = ""
    url: Text = ""
    events: Annotated[list[EventType], Field(max_length=len(EventType))] = []
    sites: Annotated[list[Text], Field(max_length=SITES_MAX)] = []

    def webhook(self) -> NewWebhook:
        """The same as the service wants it; no site chosen means the whole province."""
        return NewWebhook(
            name=self.name,
            url=self.url,
            events=frozenset(self.events),
            site_ids=frozenset(self.sites) or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages of one request ask and show."""

    request: Request
    console: ConsoleParts
    acting: Acting
    hooks: WebhookAdministration
    sites: SiteService
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What the list shows beside the webhooks."""

    status: int = 200
    form: WebhookForm | None = None
    wrong_part: str = ""
    made: MadeSecret | None = None


async def desk_of(
    request: Request,
    console: Console,
    acting: ActingDep,
    *,
    connection: Connection,
    process: ProcessDep,
    now: Now,
) -> Desk:
    """The desk of whoever asks; each of its acts checks the permission."""
    hooks = WebhookAdministration(
        connection, settings=process.settings.webhooks, actor=acting.actor, user=acting.user
    )
    return Desk(
        request=request,
        console=console,
        acting=acting,
        hooks=hooks,
        sites=SiteService(connection),
        now=now,
    )


DeskDep = Annotated[Desk, Depends(desk_of, scope="function")]


@router.get(LIST_PATH)
async def list_page(*, desk: DeskDep) -> Response:
    """Webhooks by name."""
    return await _list(desk, _Wish())


@router.post(LIST_PATH)
async def add(filled: Annotated[WebhookForm, Form()], *, desk: DeskDep) -> Response:
    """Register a webhook; the answer shows its secret, this once."""
    try:
        made = await desk.hooks.add(filled.webhook(), now=desk.now)
    except WebhookInvalidError as error:
        return await _list(desk, _Wish(status=422, form=filled, wrong_part=error.part))
    except WebhookLimitError:
        return await _list(desk, _Wish(status=422, form=filled, wrong_part="limit"))
    except WebhooksOffError:
        return await _list(desk, _Wish(status=422, form=filled, wrong_part="off"))
    return await _list(desk, _Wish(made=made))


@router.get(ONE_PATH)
async def one_page(
    webhook_id: UUID,
    *,
    desk: DeskDep,
    state: DeliveryState | Literal[""] = "",
    after_at: AwareDatetime | None = None,
    after: Annotated[UUID | None, Query()] = None,
) -> Response:
    """One webhook with its deliveries, newest first."""
    hook = await desk.hooks.webhook(WebhookId(webhook_id))
    begin = DeliveryCursor(at=after_at, id=after) if after_at and after else None
    page = await desk.hooks.deliveries(hook.id, state=state or None, after=begin, size=PAGE_SIZE)
    speech = desk.console.renderer.speeches[language_of(desk.request)]
    path = f"{LIST_PATH}/{webhook_id}"
    chosen = {"state": str(state)} if state else {}
    return desk.console.renderer.page(
        desk.request,
        "machines/webhook.html",
        user=desk.acting.user,
        hook=webhook_view(hook, await _site_names(desk), speech),
        deliveries=tuple(delivery_view(each, speech) for each in page.deliveries),
        delivery_states=tuple(each.value for each in DeliveryState),
        state=str(state),
        newest_url=f"{path}?{urlencode(chosen)}" if begin else None,
        older_url=_older_url(path, chosen, page.next),
    )


@router.post(f"{ONE_PATH}/rotate")
async def rotate(webhook_id: UUID, *, desk: DeskDep) -> Response:
    """Make a new secret; the answer shows it, this once."""
    made = await desk.hooks.rotate(WebhookId(webhook_id), now=desk.now)
    return await _list(desk, _Wish(made=made))


@router.post(f"{ONE_PATH}/pause")
async def pause(webhook_id: UUID, *, desk: DeskDep) -> Response:
    """Send nothing until somebody resumes it."""
    await desk.hooks.pause(WebhookId(webhook_id), now=desk.now)
    return _back_to(webhook_id)


@router.post(f"{ONE_PATH}/resume")
async def resume(webhook_id: UUID, *, desk: DeskDep) -> Response:
    """Send again, first what waits."""
    await desk.hooks.resume(WebhookId(webhook_id), now=desk.now)
    return _back_to(webhook_id)


@router.post(f"{ONE_PATH}/remove")
async def remove(webhook_id: UUID, *, desk: DeskDep) -> Response:
    """Send nothing any more."""
    await desk.hooks.remove(WebhookId(webhook_id), now=desk.now)
    return RedirectResponse(LIST_PATH, status_code=303)


@router.post(f"{ONE_PATH}/test")
async def test(webhook_id: UUID, *, desk: DeskDep) -> Response:
    """Send a message that says nothing but that it is a test."""
    await desk.hooks.test(WebhookId(webhook_id), now=desk.now)
    return _back_to(webhook_id)


@router.post(f"{ONE_PATH}/deliveries/{{delivery_id}}/send-again")
async def send_again(webhook_id: UUID, delivery_id: UUID, *, desk: DeskDep) -> Response:
    """Send a message again, with the same id."""
    await desk.hooks.send_again(WebhookId(webhook_id), DeliveryId(delivery_id), now=desk.now)
    return _back_to(webhook_id)


async def _list(desk: Desk, wish: _Wish) -> Response:
    """The whole list."""
    speech = desk.console.renderer.speeches[language_of(desk.request)]
    hooks = await desk.hooks.webhooks()
    sites = await _sites(desk)
    names = {site.id: site.name for site in sites}
    return desk.console.renderer.page(
        desk.request,
        "machines/webhooks.html",
        user=desk.acting.user,
        status=wish.status,
        hooks=tuple(webhook_view(each, names, speech) for each in hooks),
        form=wish.form or WebhookForm(),
        wrong_part=wish.wrong_part,
        made=wish.made,
        is_on=desk.hooks.is_on,
        choosable=tuple(each.value for each in CHOOSABLE),
        sites=sites,
    )


def _older_url(path: str, chosen: dict[str, str], following: DeliveryCursor | None) -> str | None:
    """Address of the next page of deliveries; ``None`` after the last."""
    if following is None:
        return None
    begin = {"after_at": following.at.isoformat(), "after": str(following.id)}
    return f"{path}?{urlencode(chosen | begin)}"


async def _sites(desk: Desk) -> tuple[Site, ...]:
    """Sites to choose from."""
    return tuple(await desk.sites.sites(desk.acting.user.scope))


async def _site_names(desk: Desk) -> dict[str, str]:
    """Names of sites by id."""
    return {site.id: site.name for site in await _sites(desk)}


def _back_to(webhook_id: UUID) -> Response:
    """The page of the webhook, after a change."""
    return RedirectResponse(f"{LIST_PATH}/{webhook_id}", status_code=303)
