# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue of one open page: bounded, in order, and honest about what it dropped."""

import pytest

from api.console.live import QUEUE_PAGES_MAX, LiveFeed, Subscription
from api.errors import TooManyStreamsError
from central.passages.types import FeedPage


def _page(position: int) -> FeedPage:
    return FeedPage(passages=(), position=position)


async def _nothing(_position: int) -> FeedPage:
    raise AssertionError("the feed is not read here")


async def _nowhere() -> int:
    raise AssertionError("the feed is not read here")


def _feed(*, subscribers_max: int) -> LiveFeed[FeedPage]:
    return LiveFeed(
        channel="passage_stored",
        read_feed=_nothing,
        read_position=_nowhere,
        subscribers_max=subscribers_max,
    )


async def test_pages_come_in_order() -> None:
    subscription = Subscription[FeedPage]()
    for position in (1, 2, 3):
        subscription.offer(_page(position))

    got = [await subscription.next_page() for _ in range(3)]

    assert got == [_page(1), _page(2), _page(3)]


async def test_a_slow_page_is_told_that_it_missed_some_and_then_goes_on() -> None:
    subscription = Subscription[FeedPage]()
    for position in range(QUEUE_PAGES_MAX + 5):
        subscription.offer(_page(position))

    told = await subscription.next_page()
    subscription.offer(_page(1000))

    assert told is None
    assert await subscription.next_page() == _page(1000)


def test_places_are_counted_and_given_back() -> None:
    feed = _feed(subscribers_max=1)

    with feed.subscribe():
        with pytest.raises(TooManyStreamsError):
            feed.require_place()
        assert feed.subscribers == 1

    feed.require_place()
    assert feed.subscribers == 0
