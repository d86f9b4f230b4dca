# SPDX-License-Identifier: AGPL-3.0-or-later
"""The address of the list of dossiers: which ones, and which page of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import urlencode

from api.deps.cursors import CURSOR_LENGTH, parse_place, place_text
from central.identity.types import User
from central.procedures.types import DossierState
from central.procedures.views import DossierCursor, DossierFilter, DossierPageRequest, OpenState

DOSSIERS_PATH: Final = "/console/dossiers"
PAGE_SIZE: Final = 50
CODE_PART_MAX: Final = 40
YES: Final = "yes"
PAUSED: Final = "p"
"""Ends a cursor of a dossier whose clock stands still."""

_CURSOR: Final = re.compile(rf"[A-Za-z0-9_=-]{{{CURSOR_LENGTH}}}{PAUSED}?")
_CODE_PART: Final = re.compile(rf"[A-Z0-9.-]{{1,{CODE_PART_MAX}}}")
_PROCEDURE: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")
STATES: Final[Mapping[OpenState, tuple[DossierState, ...]]] = {
    OpenState.OPEN: (DossierState.RECEIVED, DossierState.SUPPLEMENT_REQUESTED),
    OpenState.ENDED: (
        DossierState.APPROVED,
        DossierState.REJECTED,
        DossierState.WITHDRAWN,
        DossierState.RETURNED,
    ),
}
"""States that a part of the list can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierQuery:
    """What an address of the list says; anything wrong in it counts as absent.

    Attributes:
        code: Part of a code.
        at: Cursor of this page; empty for the first page.
    """

    view: OpenState = OpenState.OPEN
    state: DossierState | None = None
    procedure: str = ""
    is_mine: bool = False
    code: str = ""
    at: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Read an address."""
        wanted = {name: values.get(name, "") for name in ("view", "state", "procedure", "at")}
        view = OpenState.ENDED if wanted["view"] == OpenState.ENDED else OpenState.OPEN
        return cls(
            view=view,
            state=next((each for each in STATES[view] if each == wanted["state"]), None),
            procedure=wanted["procedure"] if _PROCEDURE.fullmatch(wanted["procedure"]) else "",
            is_mine=values.get("mine") == YES,
            code=code_part(values.get("code", "")),
            at=wanted["at"] if _CURSOR.fullmatch(wanted["at"]) else "",
        )

    @property
    def is_active(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.state or self.procedure or self.is_mine or self.code)

    def url(self) -> str:
        """Address of this page."""
        values = {
            "view": "" if self.view is OpenState.OPEN else self.view,
            "state": self.state or "",
            "procedure": self.procedure,
            "mine": YES if self.is_mine else "",
            "code": self.code,
            "at": self.at,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{DOSSIERS_PATH}?{query}" if query else DOSSIERS_PATH

    def first(self) -> "DossierQuery":
        """The same search at its first page."""
        return replace(self, at="")

    def following(self, cursor: DossierCursor) -> "DossierQuery":
        """The page after a row."""
        place = place_text(cursor.at, cursor.dossier_id)
        return replace(self, at=place + PAUSED if cursor.is_paused else place)

    def as_filter(self, user: User) -> DossierFilter:
        """The filter for the service."""
        return DossierFilter(
            open_state=self.view,
            states=(self.state,) if self.state else (),
            procedure_id=self.procedure or None,
            taken_in_by=user.username if self.is_mine else None,
            code=self.code,
        )

    def as_page(self) -> DossierPageRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's cursor was not made here.
        """
        if not self.at:
            return DossierPageRequest(size=PAGE_SIZE)
        at, dossier_id = parse_place(self.at[:CURSOR_LENGTH])
        cursor = DossierCursor(at=at, dossier_id=dossier_id, is_paused=self.at.endswith(PAUSED))
        return DossierPageRequest(size=PAGE_SIZE, after=cursor)


def code_part(text: str) -> str:
    """What somebody typed of a code, as codes are written; empty when it can't be of one."""
    part = "".join(text.split()).upper()
    return part if _CODE_PART.fullmatch(part) else ""
