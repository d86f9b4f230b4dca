# SPDX-License-Identifier: AGPL-3.0-or-later
"""What live pages follow: new passages, and alerts that were raised or changed."""

from dataclasses import dataclass
from functools import partial

from api.console.live import LiveFeed
from api.deps.request import Process
from api.deps.transactions import transaction
from central.control.service import AlertService
from central.control.types import ALERT_CHANNEL, AlertFeedPage
from central.domain.scope import SiteScope
from central.passages.service import FEED_CHANNEL, PassageService
from central.passages.types import FeedPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """Every feed of the process; each open page takes of it what its user may see."""

    passages: LiveFeed[FeedPage]
    alerts: LiveFeed[AlertFeedPage]

    @property
    def subscribers(self) -> int:
        """How many pages follow any of them."""
        return self.passages.subscribers + self.alerts.subscribers


def make_feeds(process: Process, *, subscribers_max: int) -> Feeds:
    """The feeds of a process, for at most so many open pages each."""
    return Feeds(
        passages=LiveFeed(
            channel=FEED_CHANNEL,
            read_feed=partial(_passages_after, process),
            read_position=partial(_passages_position, process),
            subscribers_max=subscribers_max,
        ),
        alerts=LiveFeed(
            channel=ALERT_CHANNEL,
            read_feed=partial(_alerts_after, process),
            read_position=partial(_alerts_position, process),
            subscribers_max=subscribers_max,
        ),
    )


async def _passages_after(process: Process, position: int) -> FeedPage:
    async with transaction(process) as connection:
        return await PassageService(connection).feed_after(position, scope=SiteScope.everything())


async def _passages_position(process: Process) -> int:
    async with transaction(process) as connection:
        return await PassageService(connection).feed_position()


async def _alerts_after(process: Process, position: int) -> AlertFeedPage:
    async with transaction(process) as connection:
        return await AlertService(connection).feed_after(position, scope=SiteScope.everything())


async def _alerts_position(process: Process) -> int:
    async with transaction(process) as connection:
        return await AlertService(connection).feed_position()
