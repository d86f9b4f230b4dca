# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often one address or one key may ask, and how an answer tells it."""

import asyncio
import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg_pool import AsyncConnectionPool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.db.outages import translated_outages
from central.identity.rates.service import GuardedAction, RateService, Taken

CLIENTS_MAX: Final = 10_000
"""Addresses and keys remembered at a time; beyond it the one that asked longest ago is forgotten,
and asks the database again when it comes back."""

BLOCKS_PER_WINDOW: Final = 20
"""How often a process asks the database for one client's requests of a window. Higher: limits are
used up to the last request by several processes, and more is written."""

RATE_CONNECTIONS_MAX: Final = 2
LONG_AGO_AT: Final = datetime.min.replace(tzinfo=UTC)

RATE_USE: Final = "rate_use"
"""Where in a request's state the use of its limit stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """So many requests within so much time.

    Higher helps families behind one address, and those who try out codes.
    """

    requests_max: int
    window: timedelta

    def __post_init__(self) -> None:
        if self.requests_max < 1 or self.window <= timedelta(0):
            raise ValueError("need requests_max >= 1 and window > 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateUse:
    """How much of a limit is used up after one more request.

    Attributes:
        remaining: Requests that are left in this window.
        resets_in: How long until the window ends.
        is_over: Whether this request was one too many.
    """

    limit: RateLimit
    remaining: int
    resets_in: timedelta
    is_over: bool

    @property
    def wait_s(self) -> int:
        """Whole seconds until the next window, at least one."""
        return max(1, math.ceil(self.resets_in.total_seconds()))

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The limit as programs read it (IETF draft on RateLimit header fields)."""
        window_s = int(self.limit.window.total_seconds())
        return (
            ("RateLimit-Policy", f'"key";q={self.limit.requests_max};w={window_s}'),
            ("RateLimit", f'"key";r={self.remaining};t={self.wait_s}'),
        )


class RateHeaders:
    """ASGI middleware that tells programs how much of their limit is left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_with_headers(message: Message) -> None:
            use = scope.get("state", {}).get(RATE_USE)
            if message["type"] == "http.response.start" and isinstance(use, RateUse):
                headers = MutableHeaders(scope=message)
                for name, value in use.headers:
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)


@dataclass(slots=True, kw_only=True)
class _Hand:
    """What this process has got of one client's requests.

    Attributes:
        ends_at: When the window ends; what is left is worth nothing then.
        left: Requests that are granted and not made yet.
        beyond: Requests that nobody had got when this process last asked.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ends_at: datetime = LONG_AGO_AT
    left: int = 0
    beyond: int = 0


class SharedRates:
    """Counts requests by address or key in fixed windows, for all processes together.

    A process takes requests in blocks, so that most of them write nothing, and none is written
    once the window is used up. What a process took and does not use is lost to the others: with
    many processes a client may have to wait a little before its limit, and never has more.
    """

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """Take connections of a pool of its own: requests wait here that hold one of another."""
        self._pool = pool
        self._hands: OrderedDict[tuple[GuardedAction, str], _Hand] = OrderedDict()

    async def use_after(
        self, action: GuardedAction, client: str, *, limit: RateLimit, now: datetime
    ) -> RateUse:
        """Count one request, and say how much of the limit is left.

        Raises:
            CentralUnavailableError: The database can't be reached.
        """
        hand = self._hand_of(action, client)
        async with hand.lock:
            if now >= hand.ends_at or (hand.left == 0 and hand.beyond > 0):
                taken = await self._taken(action, client, limit=limit, now=now)
                hand.ends_at = taken.began_at + limit.window
                hand.left, hand.beyond = taken.granted, taken.left
            is_over = hand.left == 0
            if not is_over:
                hand.left -= 1
            return RateUse(
                limit=limit,
                remaining=hand.left + hand.beyond,
                resets_in=max(hand.ends_at - now, timedelta(0)),
                is_over=is_over,
            )

    def _hand_of(self, action: GuardedAction, client: str) -> _Hand:
        hand = self._hands.pop((action, client), None) or _Hand()
        self._hands[action, client] = hand
        while len(self._hands) > CLIENTS_MAX:
            self._hands.popitem(last=False)
        return hand

    async def _taken(
        self, action: GuardedAction, client: str, *, limit: RateLimit, now: datetime
    ) -> Taken:
        with translated_outages():
            async with self._pool.connection() as connection:
                return await RateService(connection).take(
                    action,
                    client,
                    tries=max(1, limit.requests_max // BLOCKS_PER_WINDOW),
                    tries_max=limit.requests_max,
                    window=limit.window,
                    now=now,
                )
