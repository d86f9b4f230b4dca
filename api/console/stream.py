# SPDX-License-Identifier: AGPL-3.0-or-later
"""The live list: new rows as server-sent events.

Every event carries the position in the feed as its id, so a browser that comes back gets what it
missed and nothing twice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.console.filters import ListQuery
from api.console.live import PING_S, POSITION_MAX, RETRY_MS, Watch, pages_after
from api.console.parts import Console
from api.console.rendered import RenderedPieces
from api.console.views import row_view
from api.deps.holders import is_still_held
from api.deps.looks import ListLook
from api.deps.request import Now, PassageReader, Process, ProcessDep
from api.deps.transactions import transaction
from api.pages.i18n import Language
from api.pages.rendering import Renderer, language_of
from central.domain.scope import SiteScope
from central.passages.service import PassageService
from central.passages.types import CameraKey, FeedPage, PassageFilter, PassageSummary

ROWS_MAX: Final = 200
"""Most rows in one event, the newest; a list shows no more."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """What one stream shows, and how."""

    process: Process
    renderer: Renderer
    rendered: RenderedPieces
    language: Language
    wanted: PassageFilter
    scope: SiteScope


@router.get("/console/passages/stream", dependencies=[ListLook])
async def stream(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    user: PassageReader,
    now: Now,
    after: Annotated[int, Query(ge=0, le=POSITION_MAX)],
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,18}$")] = None,
) -> EventSourceResponse:
    """Rows that fit the list's search, from the position that the page was made at."""
    console.feeds.passages.require_place()
    query = ListQuery.parse(request.query_params)
    plate = console.shelf.recall(query.plate_word, user_id=user.id, now=now)
    listener = _Listener(
        process=process,
        renderer=console.renderer,
        rendered=console.rendered,
        language=language_of(request),
        wanted=query.as_filter(plate=plate, now=now),
        scope=user.scope,
    )

    async def events() -> AsyncIterator[ServerSentEvent]:
        with console.feeds.passages.subscribe() as subscription:
            yield ServerSentEvent(comment="live", retry=RETRY_MS)
            position = int(last_event_id) if last_event_id else after
            watch = Watch(partial(is_still_held, request, process, user))
            read = partial(_read, listener)
            async for page in pages_after(read, subscription, position, watch=watch):
                yield _event(listener, page)

    return EventSourceResponse(events(), ping=PING_S)


def fits(summary: PassageSummary, wanted: PassageFilter) -> bool:
    """Whether a new passage belongs to a search, as the database would decide."""
    camera = CameraKey(site_id=summary.site_id, camera_id=summary.camera_id)
    return all(
        (
            wanted.captured_from is None or summary.captured_at >= wanted.captured_from,
            wanted.captured_until is None or summary.captured_at < wanted.captured_until,
            not wanted.site_ids or summary.site_id in wanted.site_ids,
            not wanted.cameras or camera in wanted.cameras,
            not wanted.directions or summary.direction in wanted.directions,
            not wanted.vehicle_classes or summary.vehicle_class in wanted.vehicle_classes,
            wanted.plate is None or wanted.plate.fits(summary.plate_text),
        )
    )


async def _read(listener: _Listener, position: int) -> FeedPage:
    """The feed after a position, read for one stream alone."""
    async with transaction(listener.process) as connection:
        return await PassageService(connection).feed_after(position, scope=listener.scope)


def _event(listener: _Listener, page: FeedPage | None) -> ServerSentEvent:
    """A feed page as an event: rows, the mere position when no row fits, or a gap."""
    if page is None:
        return ServerSentEvent(event="gap", data="-")
    fitting = [
        summary
        for summary in page.passages
        if listener.scope.allows(summary.site_id) and fits(summary, listener.wanted)
    ]
    if not fitting:
        return ServerSentEvent(event="position", data="-", id=str(page.position))
    newest_first = sorted(fitting, key=lambda summary: summary.captured_at, reverse=True)
    shown = tuple(newest_first[:ROWS_MAX])
    speech = listener.renderer.speeches[listener.language]
    html = listener.rendered.get(
        ("passages", listener.language, shown),
        lambda: listener.renderer.html(
            "passages/rows.html",
            language=listener.language,
            rows=[row_view(summary, speech) for summary in shown],
        ),
    )
    return ServerSentEvent(event="passages", data=html, id=str(page.position))
