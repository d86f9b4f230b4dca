# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follows the database's notifications and hands new passages to every open page.

One connection listens for the whole process and reads each new piece of the feed once. Every
page has a bounded queue; one that falls behind is told so and catches up from the database.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import structlog
from psycopg import AsyncConnection, sql

from api.errors import TooManyStreamsError
from central.db.outages import translated_outages
from central.errors import CentralUnavailableError
from central.passages.service import FEED_CHANNEL
from central.passages.types import FeedPage

log = structlog.get_logger(__name__)

QUEUE_PAGES_MAX: Final = 32
"""Feed pages that wait for one open page. Higher: slow browsers catch up less, more memory."""

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 15.0
SILENCE_S_MAX: Final = 30.0
"""Longest wait for a notification before the feed is read anyway: a lost one costs no more."""

ReadFeed = Callable[[int], Awaitable[FeedPage]]
ReadPosition = Callable[[], Awaitable[int]]


class Subscription:
    """One open page's queue."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[FeedPage] = asyncio.Queue(QUEUE_PAGES_MAX)
        self._has_missed = False

    def offer(self, page: FeedPage) -> None:
        """Put a page into the queue, or note that it did not fit."""
        try:
            self._queue.put_nowait(page)
        except asyncio.QueueFull:
            self._has_missed = True

    async def next_page(self) -> FeedPage | None:
        """The next page; ``None`` when some did not fit and must be read from the database."""
        if self._has_missed:
            self._has_missed = False
            while not self._queue.empty():
                self._queue.get_nowait()
            return None
        return await self._queue.get()


class LiveFeed:
    """Owns the listening connection; belongs to one event loop.

    Args:
        info: Connection string of the driver.
        read_feed: Reads what was committed after a position.
        read_position: Reads where the feed ends at present.
        subscribers_max: Most open pages.
    """

    def __init__(
        self,
        *,
        info: str,
        read_feed: ReadFeed,
        read_position: ReadPosition,
        subscribers_max: int,
    ) -> None:
        self._info = info
        self._read_feed = read_feed
        self._read_position = read_position
        self._subscribers_max = subscribers_max
        self._subscriptions: set[Subscription] = set()

    @property
    def subscribers(self) -> int:
        """How many pages are open."""
        return len(self._subscriptions)

    def require_place(self) -> None:
        """Refuse before an answer begins.

        Raises:
            TooManyStreamsError: Every place is taken.
        """
        if len(self._subscriptions) >= self._subscribers_max:
            raise TooManyStreamsError

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """A queue of new passages, for as long as the block lasts."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def run(self) -> None:
        """Listen until cancelled; a lost database is tried again, ever more slowly."""
        retry_s = RETRY_S_MIN
        position: int | None = None
        while True:
            started_s = time.monotonic()
            try:
                if position is None:
                    position = await self._read_position()
                async for _ in self._wake_ups():
                    position = await self._hand_out(position)
            except CentralUnavailableError:
                log.warning("live_feed_lost", retry_s=retry_s)
            if time.monotonic() - started_s > RETRY_S_MAX:
                retry_s = RETRY_S_MIN
            await asyncio.sleep(retry_s * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    async def _wake_ups(self) -> AsyncIterator[None]:
        """Yield once when listening begins, and then whenever there may be something new.

        Raises:
            CentralUnavailableError: The connection could not be made or was lost.
        """
        with translated_outages():
            async with await AsyncConnection.connect(self._info, autocommit=True) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(FEED_CHANNEL)))
                log.info("live_feed_listening")
                while True:
                    yield
                    async for _ in connection.notifies(timeout=SILENCE_S_MAX, stop_after=1):
                        pass

    async def _hand_out(self, position: int) -> int:
        """Give everything after a position to every page; returns where the feed ends."""
        if not self._subscriptions:
            return await self._read_position()
        while True:
            page = await self._read_feed(position)
            if page.position == position:
                return position
            position = page.position
            for subscription in self._subscriptions:
                subscription.offer(page)


@asynccontextmanager
async def running(feed: LiveFeed) -> AsyncIterator[None]:
    """Follow the feed in a task of its own, for as long as the block lasts."""
    task = asyncio.create_task(feed.run(), name="live-feed")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
