# SPDX-License-Identifier: AGPL-3.0-or-later
"""The watchlist's page: search, add, remove."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final, Self
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg import AsyncConnection
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from api.console.filters import PLATE_LENGTH_MAX, parse_plate
from api.console.parts import Console, ConsoleParts
from api.console.plates import plate_lines
from api.console.views import PlateView
from api.deps.acting import Acting, ActingDep
from api.deps.cursors import CURSOR_LENGTH, parse_place, place_text
from api.deps.looks import ListLook
from api.deps.request import Connection, Now
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.contracts.passage import PlateColour
from central.control.errors import WatchlistEntryInvalidError, WatchlistEntryNotFoundError
from central.control.types import NOTE_LENGTH_MAX, ListCursor, ListRequest
from central.control.watchlist import WatchlistService
from central.control.watchlist_types import (
    LEGAL_BASIS_LENGTH_MAX,
    EntryState,
    NewWatchlistEntry,
    WatchlistEntry,
    WatchReason,
)
from central.domain.local_time import start_of_local_day
from central.errors import InvalidPlatePatternError
from central.identity.permissions import Permission

LIST_PATH: Final = "/console/watchlist"
PAGE_SIZE: Final = 50
CHOICE_LENGTH_MAX: Final = 40
COLOURS: Final = tuple(each for each in PlateColour if each is not PlateColour.UNKNOWN)
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{16}")
_CURSOR: Final = re.compile(rf"[A-Za-z0-9_=-]{{{CURSOR_LENGTH}}}")

router = APIRouter(include_in_schema=False)

Choice = Annotated[str, Field(max_length=CHOICE_LENGTH_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistQuery:
    """What an address says; it holds a word in place of a searched plate."""

    state: EntryState = EntryState.HOLDING
    plate_word: str = ""
    at: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Self:
        """Read an address; anything wrong in it counts as absent."""
        state, word, at = (values.get(name, "") for name in ("state", "p", "at"))
        return cls(
            state=EntryState(state) if state in set(EntryState) else EntryState.HOLDING,
            plate_word=word if _WORD.fullmatch(word) else "",
            at=at if _CURSOR.fullmatch(at) else "",
        )

    def url(self) -> str:
        """Address of this list."""
        values = {
            "state": "" if self.state is EntryState.HOLDING else self.state,
            "p": self.plate_word,
            "at": self.at,
        }
        query = urlencode({name: value for name, value in values.items() if value})
        return f"{LIST_PATH}?{query}" if query else LIST_PATH

    def as_page(self) -> ListRequest:
        """The wanted page.

        Raises:
            CursorInvalidError: The address's cursor was not made here.
        """
        if not self.at:
            return ListRequest(size=PAGE_SIZE)
        at, row_id = parse_place(self.at)
        return ListRequest(size=PAGE_SIZE, after=ListCursor(at=at, id=row_id))


class EntryForm(BaseModel):
    """A new entry as it was filled in."""

    plate: Annotated[str, Field(max_length=PLATE_LENGTH_MAX)] = ""
    colour: Choice = ""
    reason: Choice = ""
    legal_basis: Annotated[str, Field(max_length=LEGAL_BASIS_LENGTH_MAX)] = ""
    note: Annotated[str, Field(max_length=NOTE_LENGTH_MAX)] = ""
    last_day: Choice = ""

    def entry(self) -> NewWatchlistEntry:
        """The same as the service wants it.

        Raises:
            WatchlistEntryInvalidError: The reason or the last day is missing or nonsense.
        """
        if self.reason not in set(WatchReason):
            raise WatchlistEntryInvalidError("reason")
        return NewWatchlistEntry(
            plate_text=self.plate,
            plate_colour=PlateColour(self.colour) if self.colour in set(COLOURS) else None,
            reason=WatchReason(self.reason),
            note=self.note,
            legal_basis=self.legal_basis,
            valid_until=_end_of(self.last_day),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """An entry as a row; ``last_day`` is ``None`` where it holds until it is removed."""

    id: str
    plate: PlateView
    reason: str
    legal_basis: str
    note: str
    listed_by: str
    listed_at: str
    last_day: str | None
    removed: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistView:
    """The list around its rows."""

    query: WatchlistQuery
    plate: str
    plate_problem: bool
    has_forgotten: bool
    rows: tuple[EntryView, ...]
    states: tuple[tuple[str, str], ...]
    newest_url: str | None
    older_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What to show, beside the address."""

    status: int = 200
    typed: str = ""
    is_plate_wrong: bool = False
    form: EntryForm = field(default_factory=EntryForm)
    wrong_part: str = ""
    is_gone: bool = False


@router.get(LIST_PATH, dependencies=[ListLook])
async def list_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """The list that an address describes."""
    query = WatchlistQuery.parse(request.query_params)
    return await _Maker(request, console, acting, connection, now).page(query, _Wish())


@router.post(f"{LIST_PATH}/search")
async def search(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
    state: Annotated[str, Form(max_length=CHOICE_LENGTH_MAX)] = "",
) -> Response:
    """Turn a plate into an address that does not hold it."""
    acting.user.require(Permission.SEE_WATCHLIST)
    query = WatchlistQuery.parse({"state": state})
    try:
        pattern = parse_plate(plate)
    except InvalidPlatePatternError:
        wish = _Wish(status=422, typed=plate, is_plate_wrong=True)
        return await _Maker(request, console, acting, connection, now).page(query, wish)
    if pattern is not None:
        word = console.shelf.remember(pattern, user_id=acting.user.id, now=now)
        query = replace(query, plate_word=word)
    return RedirectResponse(query.url(), status_code=303)


@router.post(LIST_PATH)
async def add(
    request: Request,
    filled: Annotated[EntryForm, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Put a plate on the list; the form comes back when a part is missing or wrong."""
    acting.user.require(Permission.EDIT_WATCHLIST)
    try:
        await WatchlistService(connection).add(
            filled.entry(), user=acting.user, actor=acting.actor, now=now
        )
    except WatchlistEntryInvalidError as error:
        wish = _Wish(status=422, form=filled, wrong_part=error.part)
        maker = _Maker(request, console, acting, connection, now)
        return await maker.page(WatchlistQuery(), wish)
    return RedirectResponse(LIST_PATH, status_code=303)


@router.post(f"{LIST_PATH}/{{entry_id}}/remove")
async def remove(
    request: Request,
    entry_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Take a plate off the list."""
    try:
        await WatchlistService(connection).remove(
            entry_id, user=acting.user, actor=acting.actor, now=now
        )
    except WatchlistEntryNotFoundError:
        wish = _Wish(status=404, is_gone=True)
        maker = _Maker(request, console, acting, connection, now)
        return await maker.page(WatchlistQuery(), wish)
    return RedirectResponse(LIST_PATH, status_code=303)


class _Maker:
    """Makes the page for one request."""

    def __init__(
        self,
        request: Request,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
        now: datetime,
    ) -> None:
        self._request = request
        self._console = console
        self._speech = console.renderer.speeches[language_of(request)]
        self._acting = acting
        self._service = WatchlistService(connection)
        self._now = now

    async def page(self, query: WatchlistQuery, wish: _Wish) -> Response:
        """The whole page."""
        user = self._acting.user
        plate = self._console.shelf.recall(query.plate_word, user_id=user.id, now=self._now)
        has_forgotten = bool(query.plate_word) and plate is None
        if has_forgotten:
            query = replace(query, plate_word="")
        found = await self._service.entries(
            query.state,
            plate,
            query.as_page(),
            user=user,
            actor=self._acting.actor,
            now=self._now,
        )
        following = found.next
        shown = WatchlistView(
            query=query,
            plate=wish.typed or (plate.text if plate is not None else ""),
            plate_problem=wish.is_plate_wrong,
            has_forgotten=has_forgotten,
            rows=tuple(_entry_view(each, self._speech) for each in found.entries),
            states=tuple(
                (state.value, replace(query, state=state, at="").url()) for state in EntryState
            ),
            newest_url=replace(query, at="").url() if query.at else None,
            older_url=(
                replace(query, at=place_text(following.at, following.id)).url()
                if following is not None
                else None
            ),
        )
        return self._console.renderer.page(
            self._request,
            "watchlist/list.html",
            user=user,
            status=wish.status,
            list=shown,
            form=wish.form,
            wrong_part=wish.wrong_part,
            is_gone=wish.is_gone,
            may_edit=user.may(Permission.EDIT_WATCHLIST),
            colours=COLOURS,
        )


def _entry_view(entry: WatchlistEntry, speech: Speech) -> EntryView:
    """An entry as a row."""
    lines = plate_lines(
        entry.plate_text, layout=None, vehicle_class=None, colour=entry.plate_colour
    )
    last_moment = entry.valid_until - timedelta(seconds=1) if entry.valid_until else None
    return EntryView(
        id=str(entry.id),
        plate=PlateView(lines=lines, colour=entry.plate_colour or PlateColour.UNKNOWN),
        reason=entry.reason,
        legal_basis=entry.legal_basis,
        note=entry.note,
        listed_by=entry.listed_by,
        listed_at=speech.time_and_date(entry.listed_at),
        last_day=speech.local_date(last_moment) if last_moment is not None else None,
        removed=(
            f"{speech.time_and_date(entry.removed_at)} · {entry.removed_by}"
            if entry.removed_at is not None
            else None
        ),
    )


def _end_of(last_day: str) -> datetime | None:
    """The end of a day as browsers write it; ``None`` for none.

    Raises:
        WatchlistEntryInvalidError: It is no day.
    """
    if not last_day:
        return None
    try:
        return start_of_local_day(date.fromisoformat(last_day) + timedelta(days=1))
    except (ValueError, OverflowError) as error:
        raise WatchlistEntryInvalidError("valid_until") from error
