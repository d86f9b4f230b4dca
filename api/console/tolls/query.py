# SPDX-License-Identifier: AGPL-3.0-or-later
"""The address of the list of crossings: which ones, and which page of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self
from urllib.parse import urlencode

from api.deps.cursors import cursor_text, parse_cursor
from central.contracts.identifiers import SLUG_PATTERN
from central.passages.types import PageCursor
from central.tolling.types import (
    CrossingCursor,
    CrossingFilter,
    CrossingPageRequest,
    CrossingState,
)

TOLLS_PATH: Final = "/console/tolls"
PAGE_SIZE: Final = 50
_SLUG: Final = re.compile(SLUG_PATTERN)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TollQuery:
    """What an address of the list says; anything wrong in it counts as absent.

    Attributes:
        at: Cursor of this page; empty for the newest page.
    """

    station: str = ""
    day: date | None = None
    state: CrossingState | None = None
    at: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Read an address."""
        station, state = values.get("station", ""), values.get("state", "")
        return cls(
            station=station if _SLUG.fullmatch(station) else "",
            day=_day(values.get("day", "")),
            state=CrossingState(state) if state in set(CrossingState) else None,
            at=values.get("at", ""),
        )

    @property
    def is_active(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.station or self.day or self.state)

    def url(self, path: str = TOLLS_PATH) -> str:
        """Address of this page."""
        values = {
            "station": self.station,
            "day": self.day.isoformat() if self.day else "",
            "state": self.state or "",
            "at": self.at,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    def newest(self) -> "TollQuery":
        """The same search at its newest page."""
        return replace(self, at="")

    def older(self, cursor: CrossingCursor) -> "TollQuery":
        """The next older page."""
        key = PageCursor(captured_at=cursor.crossed_at, passage_id=cursor.crossing_id)
        return replace(self, at=cursor_text(key))

    def as_filter(self) -> CrossingFilter:
        """The filter for the service."""
        return CrossingFilter(station_id=self.station or None, day=self.day, state=self.state)

    def as_page(self) -> CrossingPageRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's cursor was not made here.
        """
        if not self.at:
            return CrossingPageRequest(size=PAGE_SIZE)
        key = parse_cursor(self.at)
        after = CrossingCursor(crossed_at=key.captured_at, crossing_id=key.passage_id)
        return CrossingPageRequest(size=PAGE_SIZE, after=after)


def _day(text: str) -> date | None:
    """A day as browsers write it."""
    if _DAY.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
