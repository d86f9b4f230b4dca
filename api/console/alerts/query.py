# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list's address: which alerts, and from where. It never holds a plate."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlencode

from api.deps.cursors import CURSOR_LENGTH, parse_place, place_text
from central.control.types import (
    AlertFilter,
    AlertState,
    ListCursor,
    ListRequest,
    SeenAlert,
)
from central.domain.control_law import RuleName
from central.domain.scope import SiteScope

LIST_PATH: Final = "/console/alerts"
STREAM_PATH: Final = f"{LIST_PATH}/stream"
PAGE_SIZE: Final = 50
_CURSOR: Final = re.compile(rf"[A-Za-z0-9_=-]{{{CURSOR_LENGTH}}}")


class AlertView(StrEnum):
    """A part of the list: the states, and late passages that raised nothing."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """What an address of the list says; anything wrong in it counts as absent.

    Attributes:
        at: Cursor of this page; empty for the newest.
    """

    view: AlertView = AlertView.OPEN
    rule: RuleName | None = None
    at: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Read an address."""
        view, rule, at = (values.get(name, "") for name in ("view", "rule", "at"))
        return cls(
            view=AlertView(view) if view in set(AlertView) else AlertView.OPEN,
            rule=RuleName(rule) if rule in set(RuleName) else None,
            at=at if _CURSOR.fullmatch(at) else "",
        )

    @property
    def is_newest(self) -> bool:
        """Whether new alerts appear on this page by themselves."""
        return not self.at and self.view is not AlertView.LATE

    def url(self, path: str = LIST_PATH) -> str:
        """Address of this list."""
        values = {
            "view": "" if self.view is AlertView.OPEN else self.view,
            "rule": self.rule or "",
            "at": self.at,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{path}?{query}" if query else path

    def seen_as(self, view: AlertView) -> "AlertQuery":
        """The newest page of another part."""
        return replace(self, view=view, at="")

    def newest(self) -> "AlertQuery":
        """The newest page of the same part."""
        return replace(self, at="")

    def older(self, cursor: ListCursor) -> "AlertQuery":
        """The page after a row."""
        return replace(self, at=place_text(cursor.at, cursor.id))

    def as_filter(self) -> AlertFilter:
        """The filter for the service; not for late passages."""
        return AlertFilter(states=(AlertState(self.view),), rule=self.rule)

    def as_page(self) -> ListRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's cursor was not made here.
        """
        if not self.at:
            return ListRequest(size=PAGE_SIZE)
        at, row_id = parse_place(self.at)
        return ListRequest(size=PAGE_SIZE, after=ListCursor(at=at, id=row_id))

    def fits(self, seen: SeenAlert, scope: SiteScope) -> bool:
        """Whether a changed alert belongs to this list, as the database would decide."""
        return (
            scope.allows(seen.alert.site_id)
            and seen.alert.state.value == self.view.value
            and (self.rule is None or seen.alert.rule is self.rule)
        )
