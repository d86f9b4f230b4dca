# SPDX-License-Identifier: AGPL-3.0-or-later
"""The live list: new rows as server-sent events.

Every event carries the position in the feed as its id, so a browser that comes back gets what it
missed and nothing twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.console.filters import ListQuery
from api.console.live import Subscription
from api.console.parts import Console
from api.console.views import row_view
from api.deps.request import Now, Process, ProcessDep, SignedIn
from api.deps.transactions import transaction
from api.pages.i18n import Language
from api.pages.rendering import Renderer, language_of
from central.domain.scope import SiteScope
from central.errors import CentralUnavailableError
from central.passages.service import PassageService
from central.passages.types import CameraKey, FeedPage, PassageFilter, PassageSummary

RETRY_MS: Final = 3000
PING_S: Final = 15
STREAM_S_MAX: Final = 600.0
"""Longest stream; the browser then comes back, and its session is checked again."""

CATCH_UP_PAGES_MAX: Final = 20
"""Feed pages read at once after a break; beyond, reloading the list is cheaper."""

ROWS_MAX: Final = 200
"""Most rows in one event, the newest; a list shows no more."""

POSITION_MAX: Final = 2**62

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """What one stream shows, and how."""

    process: Process
    renderer: Renderer
    language: Language
    wanted: PassageFilter
    scope: SiteScope


@router.get("/console/passages/stream")
async def stream(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    user: SignedIn,
    now: Now,
    after: Annotated[int, Query(ge=0, le=POSITION_MAX)],
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,18}$")] = None,
) -> EventSourceResponse:
    """Rows that fit the list's search, from the position that the page was made at."""
    console.feed.require_place()
    query = ListQuery.parse(request.query_params)
    plate = console.shelf.recall(query.plate_word, user_id=user.id, now=now)
    listener = _Listener(
        process=process,
        renderer=console.renderer,
        language=language_of(request),
        wanted=query.as_filter(plate=plate, now=now),
        scope=user.scope,
    )

    async def events() -> AsyncIterator[ServerSentEvent]:
        with console.feed.subscribe() as subscription:
            yield ServerSentEvent(comment="live", retry=RETRY_MS)
            position = int(last_event_id) if last_event_id else after
            async for page in _pages(listener, subscription, position):
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


async def _pages(
    listener: _Listener, subscription: Subscription, position: int
) -> AsyncIterator[FeedPage | None]:
    """Feed pages after a position, each once; ``None`` and the end when too many were missed.

    Ends when the stream's time is over or the database is away; the browser then comes back.
    """
    ends_s = time.monotonic() + STREAM_S_MAX
    while True:
        for _ in range(CATCH_UP_PAGES_MAX):
            try:
                page = await _read(listener, position)
            except CentralUnavailableError:
                return
            if page.position == position:
                break
            position = page.position
            yield page
        else:
            yield None
            return
        while True:
            try:
                async with asyncio.timeout(ends_s - time.monotonic()):
                    new_page = await subscription.next_page()
            except TimeoutError:
                return
            if new_page is None:
                break
            if new_page.position > position:
                position = new_page.position
                yield new_page


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
    speech = listener.renderer.speeches[listener.language]
    html = listener.renderer.html(
        "passages/rows.html",
        language=listener.language,
        rows=[row_view(summary, speech) for summary in newest_first[:ROWS_MAX]],
    )
    return ServerSentEvent(event="passages", data=html, id=str(page.position))
