# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often one address or one key may ask, and how an answer tells it."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESSES_MAX: Final = 10_000
"""Addresses remembered at a time; beyond it the one that asked longest ago is forgotten."""

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


class AddressRates:
    """Counts requests by address or key in fixed windows; belongs to one process."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait_after(self, address: str, *, now: datetime) -> timedelta | None:
        """Count one request; how long to wait when it is one too many, ``None`` when it is fine."""
        use = self.use_after(address, now=now)
        return use.resets_in if use.is_over else None

    def use_after(self, address: str, *, now: datetime) -> RateUse:
        """Count one request, and say how much of the limit is left."""
        began_at, count = self._counts.pop(address, (now, 0))
        if now - began_at >= self._limit.window:
            began_at, count = now, 0
        self._counts[address] = (began_at, count + 1)
        while len(self._counts) > ADDRESSES_MAX:
            self._counts.popitem(last=False)
        return RateUse(
            limit=self._limit,
            remaining=max(0, self._limit.requests_max - count - 1),
            resets_in=began_at + self._limit.window - now,
            is_over=count >= self._limit.requests_max,
        )
