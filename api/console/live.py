# SPDX-License-Identifier: AGPL-3.0-or-later
"""Follows the database's notifications and hands what is new to every open page.

One connection listens for the whole process, to every feed, and reads each new piece of a feed
once. Every page has a bounded queue; one that falls behind is told so and catches up from the
database.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from psycopg import AsyncConnection, sql

from api.errors import TooManyStreamsError
from central.db.outages import translated_outages
from central.errors import CentralUnavailableError

log = structlog.get_logger(__name__)

QUEUE_PAGES_MAX: Final = 32
"""Feed pages that wait for one open page. Higher: slow browsers catch up less, more memory."""

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 15.0
SILENCE_S_MAX: Final = 30.0
"""Longest wait for a notification before the feeds are read anyway: a lost one costs no more."""

STREAM_S_MAX: Final = 600.0
"""Longest stream; the browser then comes back, and its session is checked again."""

CATCH_UP_PAGES_MAX: Final = 20
"""Feed pages read at once after a break; beyond, reloading the list is cheaper."""

HOLDER_CHECK_S: Final = 30.0
"""How long an open stream may go on after its session ended or its user's sites changed."""

RETRY_MS: Final = 3000
PING_S: Final = 15
POSITION_MAX: Final = 2**62


class FeedPiece(Protocol):
    """A piece of a feed, in the order of the commits."""

    @property
    def position(self) -> int:
        """Where the feed goes on."""


Piece = TypeVar("Piece", bound=FeedPiece)

ReadFeed = Callable[[int], Awaitable[Piece]]
ReadPosition = Callable[[], Awaitable[int]]
IsHeld = Callable[[], Awaitable[bool]]


class Subscription(Generic[Piece]):
    """One open page's queue."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Piece] = asyncio.Queue(QUEUE_PAGES_MAX)
        self._has_missed = False

    def offer(self, page: Piece) -> None:
        """Put a page into the queue, or note that it did not fit."""
        try:
            self._queue.put_nowait(page)
        except asyncio.QueueFull:
            self._has_missed = True

    async def next_page(self) -> Piece | None:
        """The next page; ``None`` when some did not fit and must be read from the database."""
        if self._has_missed:
            self._has_missed = False
            while not self._queue.empty():
                self._queue.get_nowait()
            return None
        return await self._queue.get()


class LiveFeed(Generic[Piece]):
    """One feed and the pages that follow it; belongs to one event loop.

    Args:
        channel: Notification that says that there is something new.
        read_feed: Reads what was committed after a position.
        read_position: Reads where the feed ends at present.
        subscribers_max: Most open pages.
    """

    def __init__(
        self,
        *,
        channel: str,
        read_feed: ReadFeed[Piece],
        read_position: ReadPosition,
        subscribers_max: int,
    ) -> None:
        self.channel = channel
        self._read_feed = read_feed
        self._read_position = read_position
        self._subscribers_max = subscribers_max
        self._subscriptions: set[Subscription[Piece]] = set()
        self._position: int | None = None

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
    def subscribe(self) -> Iterator[Subscription[Piece]]:
        """A queue of what is new, for as long as the block lasts."""
        subscription = Subscription[Piece]()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def hand_out(self) -> None:
        """Give everything new to every page; the first call only finds where the feed ends.

        Raises:
            CentralUnavailableError: The database can't be reached.
        """
        if self._position is None or not self._subscriptions:
            self._position = await self._read_position()
            return
        while True:
            page = await self._read_feed(self._position)
            if page.position == self._position:
                return
            self._position = page.position
            for subscription in self._subscriptions:
                subscription.offer(page)


class Listener:
    """Owns the listening connection and tells each feed when to look.

    Args:
        info: Connection string of the driver.
        feeds: What to listen for.
    """

    def __init__(
        self,
        info: str,
        feeds: Sequence[LiveFeed[Any]],  # Any: feeds of different pieces stand side by side
    ) -> None:
        self._info = info
        self._feeds = feeds

    async def run(self) -> None:
        """Listen until cancelled; a lost database is tried again, ever more slowly."""
        retry_s = RETRY_S_MIN
        while True:
            started_s = time.monotonic()
            try:
                async for channels in self._wake_ups():
                    for feed in self._feeds:
                        if feed.channel in channels:
                            await feed.hand_out()
            except CentralUnavailableError:
                log.warning("live_feed_lost", retry_s=retry_s)
            if time.monotonic() - started_s > RETRY_S_MAX:
                retry_s = RETRY_S_MIN
            await asyncio.sleep(retry_s * random.uniform(0.75, 1.25))  # noqa: S311 - jitter
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    async def _wake_ups(self) -> AsyncIterator[set[str]]:
        """Yield every channel when listening begins, and then those that may have news.

        Raises:
            CentralUnavailableError: The connection could not be made or was lost.
        """
        every = {feed.channel for feed in self._feeds}
        with translated_outages():
            async with await AsyncConnection.connect(self._info, autocommit=True) as connection:
                for channel in sorted(every):
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                log.info("live_feed_listening")
                yield every
                while True:
                    told = {
                        each.channel
                        async for each in connection.notifies(timeout=SILENCE_S_MAX, stop_after=1)
                    }
                    yield told or every


class Watch:
    """Whether a stream may go on: its time, and whether its session is still what it was.

    Args:
        is_held: Asked again and again; ``False`` ends the stream, and the browser comes back with
            whatever session it has then.
    """

    def __init__(self, is_held: IsHeld) -> None:
        self._is_held = is_held
        self._ends_s = time.monotonic() + STREAM_S_MAX
        self._check_s = time.monotonic() + HOLDER_CHECK_S

    @property
    def wait_s(self) -> float:
        """How long the stream may wait before it asks again whether it may go on."""
        return max(0.0, min(self._ends_s, self._check_s) - time.monotonic())

    async def may_go_on(self) -> bool:
        """Whether there is time left, and a session; the database is asked now and then only."""
        now_s = time.monotonic()
        if now_s >= self._ends_s:
            return False
        if now_s < self._check_s:
            return True
        self._check_s = now_s + HOLDER_CHECK_S
        try:
            return await self._is_held()
        except CentralUnavailableError:
            return False


async def pages_after(
    read: ReadFeed[Piece], subscription: Subscription[Piece], position: int, *, watch: Watch
) -> AsyncIterator[Piece | None]:
    """Feed pages after a position, each once; ``None`` and the end when too many were missed.

    Ends when the watch says so or the database is away; the browser then comes back.
    """
    while True:
        for _ in range(CATCH_UP_PAGES_MAX):
            try:
                page = await read(position)
            except CentralUnavailableError:
                return
            if page.position == position:
                break
            position = page.position
            yield page
        else:
            yield None
            return
        while await watch.may_go_on():
            try:
                async with asyncio.timeout(watch.wait_s):
                    new_page = await subscription.next_page()
            except TimeoutError:
                continue
            if new_page is None:
                break
            if new_page.position > position:
                position = new_page.position
                yield new_page
        else:
            return


@asynccontextmanager
async def running(listener: Listener) -> AsyncIterator[None]:
    """Follow the feeds in a task of their own, for as long as the block lasts."""
    task = asyncio.create_task(listener.run(), name="live-feed")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
