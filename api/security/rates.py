# SPDX-License-Identifier: AGPL-3.0-or-later
"""How often one address may ask, for pages without login whose answers somebody could try out."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

ADDRESSES_MAX: Final = 10_000
"""Addresses remembered at a time; beyond it the one that asked longest ago is forgotten."""


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


class AddressRates:
    """Counts requests by address in fixed windows; belongs to one process."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait_after(self, address: str, *, now: datetime) -> timedelta | None:
        """Count one request; how long to wait when it is one too many, ``None`` when it is fine."""
        began_at, count = self._counts.pop(address, (now, 0))
        if now - began_at >= self._limit.window:
            began_at, count = now, 0
        self._counts[address] = (began_at, count + 1)
        while len(self._counts) > ADDRESSES_MAX:
            self._counts.popitem(last=False)
        if count < self._limit.requests_max:
            return None
        return began_at + self._limit.window - now
