# SPDX-License-Identifier: AGPL-3.0-or-later
"""The live list of alerts: changed rows as server-sent events.

Every event carries the position in the feed as its id, so a browser that comes back gets what it
missed. An alert that no longer belongs to the list is named, so that its row goes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.console.alerts.query import STREAM_PATH, AlertQuery
from api.console.alerts.views import alert_row
from api.console.live import PING_S, POSITION_MAX, RETRY_MS, Watch, pages_after
from api.console.parts import Console
from api.console.rendered import RenderedPieces
from api.deps.holders import is_still_held
from api.deps.looks import ListLook
from api.deps.request import Process, ProcessDep, SignedIn
from api.deps.transactions import transaction
from api.pages.i18n import Language
from api.pages.rendering import Renderer, language_of
from central.control.service import AlertService
from central.control.types import AlertFeedPage
from central.domain.scope import SiteScope
from central.identity.permissions import Permission

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """What one stream shows, and how."""

    process: Process
    renderer: Renderer
    rendered: RenderedPieces
    language: Language
    query: AlertQuery
    scope: SiteScope


@router.get(STREAM_PATH, dependencies=[ListLook])
async def stream(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    user: SignedIn,
    after: Annotated[int, Query(ge=0, le=POSITION_MAX)],
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,18}$")] = None,
) -> EventSourceResponse:
    """Alerts that changed, as rows of the list, from the position that the page was made at."""
    user.require(Permission.SEE_ALERTS)
    console.feeds.alerts.require_place()
    listener = _Listener(
        process=process,
        renderer=console.renderer,
        rendered=console.rendered,
        language=language_of(request),
        query=AlertQuery.parse(request.query_params),
        scope=user.scope,
    )

    async def events() -> AsyncIterator[ServerSentEvent]:
        with console.feeds.alerts.subscribe() as subscription:
            yield ServerSentEvent(comment="live", retry=RETRY_MS)
            position = int(last_event_id) if last_event_id else after
            watch = Watch(partial(is_still_held, request, process, user))
            read = partial(_read, listener)
            async for page in pages_after(read, subscription, position, watch=watch):
                yield _event(listener, page)

    return EventSourceResponse(events(), ping=PING_S)


async def _read(listener: _Listener, position: int) -> AlertFeedPage:
    """The feed after a position, read for one stream alone."""
    async with transaction(listener.process) as connection:
        return await AlertService(connection).feed_after(position, scope=listener.scope)


def _event(listener: _Listener, page: AlertFeedPage | None) -> ServerSentEvent:
    """A feed page as an event, or a gap."""
    if page is None:
        return ServerSentEvent(event="gap", data="-")
    speech = listener.renderer.speeches[listener.language]
    seen = [each for each in page.alerts if listener.scope.allows(each.alert.site_id)]
    shown = tuple(each for each in seen if listener.query.fits(each, listener.scope))
    gone = tuple(str(each.alert.id) for each in seen if each not in shown)
    html = listener.rendered.get(
        ("alerts", listener.language, page.position, tuple(each.alert.id for each in shown), gone),
        lambda: listener.renderer.html(
            "alerts/changes.html",
            language=listener.language,
            rows=[alert_row(each, speech) for each in shown],
            gone=gone,
        ),
    )
    return ServerSentEvent(event="alerts", data=html, id=str(page.position))
