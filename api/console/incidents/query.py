# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list's address: which incidents, and from where."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Self
from urllib.parse import urlencode

from api.deps.incident_places import PLACE_PATTERN, incident_place, parse_incident_place
from central.contracts.incident import IncidentKind
from central.incidents.service import span_of
from central.incidents.types import (
    FIRST_DAY,
    LAST_DAY,
    IncidentCursor,
    IncidentFilter,
    IncidentRequest,
    IncidentState,
)

LIST_PATH: Final = "/console/incidents"
PAGE_SIZE: Final = 50
_PLACE: Final = re.compile(PLACE_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """What an address of the list says; anything wrong in it counts as absent.

    Attributes:
        at: Place of this page; empty for the first.
    """

    kind: IncidentKind | None = None
    state: IncidentState | None = None
    site: str = ""
    day: date | None = None
    at: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str], *, sites: frozenset[str]) -> Self:
        """Read an address.

        Args:
            values: What the address says.
            sites: Sites that may be chosen.
        """
        kind, state, site, at = (values.get(name, "") for name in ("kind", "state", "site", "at"))
        return cls(
            kind=IncidentKind(kind) if kind in set(IncidentKind) else None,
            state=IncidentState(state) if state in set(IncidentState) else None,
            site=site if site in sites else "",
            day=_day(values.get("day", "")),
            at=at if _PLACE.fullmatch(at) else "",
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.kind or self.state or self.site or self.day)

    def url(self) -> str:
        """Address of this list."""
        values = {
            "kind": self.kind or "",
            "state": self.state or "",
            "site": self.site,
            "day": "" if self.day is None else self.day.isoformat(),
            "at": self.at,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{LIST_PATH}?{query}" if query else LIST_PATH

    def first(self) -> "IncidentQuery":
        """The first page of the same list."""
        return replace(self, at="")

    def following(self, cursor: IncidentCursor) -> "IncidentQuery":
        """The page after a row."""
        return replace(self, at=incident_place(cursor))

    def as_filter(self, *, now: datetime) -> IncidentFilter:
        """The filter for the service."""
        since, until = span_of(self.day, now=now)
        return IncidentFilter(
            since=since,
            until=until,
            kinds=() if self.kind is None else (self.kind,),
            states=() if self.state is None else (self.state,),
            site_id=self.site or None,
        )

    def as_request(self) -> IncidentRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's place was not made here.
        """
        after = parse_incident_place(self.at) if self.at else None
        return IncidentRequest(size=PAGE_SIZE, after=after)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None
