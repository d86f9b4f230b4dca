# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of passages, its search, and the details of one passage."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg import AsyncConnection
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from api.console.filters import LIST_PATH, PLATE_LENGTH_MAX, ListQuery, has_order, parse_plate
from api.console.overview.pages import health_strip
from api.console.parts import Console, ConsoleParts
from api.console.passage_looks import EXPORT_PATH
from api.console.views import (
    RowView,
    count_text,
    detail_view,
    place_views,
    row_view,
)
from api.deps.acting import ActingDep
from api.deps.cursors import cursor_text
from api.deps.heavy import Heavy
from api.deps.looks import ListLook
from api.deps.request import Connection, MaySeePassages, Now, Passages, SignedIn
from api.pages.rendering import language_of
from central.db.replica import HeavyReads
from central.domain.plates import PlatePattern
from central.errors import InvalidPlatePatternError, SearchTooWideError
from central.identity.permissions import Permission
from central.identity.types import User
from central.passages.service import PassageService, is_heavy
from central.passages.types import PassageFilter
from central.procedures.types import CODE_PATTERN
from central.sites.service import SiteService

STREAM_PATH: Final = f"{LIST_PATH}/stream"
CHOICE_LENGTH_MAX: Final = 100
FIND_LENGTH_MAX: Final = 60
_DOSSIER_CODE: Final = re.compile(CODE_PATTERN)

router = APIRouter(include_in_schema=False, dependencies=[MaySeePassages])

Choice = Annotated[str, Field(max_length=CHOICE_LENGTH_MAX)]


class SearchForm(BaseModel):
    """What was chosen in the filters; choices that do not exist count as none."""

    plate: Annotated[str, Field(max_length=PLATE_LENGTH_MAX)] = ""
    period: Choice = ""
    from_local: Choice = Field(default="", alias="from")
    to_local: Choice = Field(default="", alias="to")
    place: Choice = ""
    vehicle_class: Choice = ""
    direction: Choice = ""

    def query(self) -> ListQuery:
        """The same as an address, without the plate."""
        return ListQuery.parse(self.model_dump(by_alias=True, exclude={"plate"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """The filters as they stand in the form.

    Attributes:
        plate: As it was typed.
        is_active: Whether anything is filtered.
    """

    query: ListQuery
    plate: str
    is_active: bool
    plate_problem: str | None
    range_problem: str | None

    @property
    def has_problem(self) -> bool:
        """Whether something must be put right before searching."""
        return self.plate_problem is not None or self.range_problem is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """The list around its rows.

    Attributes:
        export_url: Where the list is taken along; ``None`` for those who may not.
        live_url: Address of new rows; ``None`` on older pages, where none appear.
        position: Where in the feed the list was made.
    """

    rows: tuple[RowView, ...]
    count_text: str
    range_text: str
    newer_url: str | None
    older_url: str | None
    export_url: str | None
    live_url: str | None
    position: int


EMPTY_LIST: Final = ListView(
    rows=(),
    count_text="0",
    range_text="",
    newer_url=None,
    older_url=None,
    export_url=None,
    live_url=None,
    position=0,
)


@router.get(LIST_PATH, dependencies=[ListLook])
async def list_page(
    request: Request,
    *,
    console: Console,
    user: SignedIn,
    connection: Connection,
    passages: Passages,
    heavy: Heavy,
    now: Now,
) -> Response:
    """The list that an address describes."""
    maker = _Maker(
        request, console=console, user=user, connection=connection, passages=passages, now=now
    )
    query = ListQuery.parse(request.query_params)
    plate = console.shelf.recall(query.plate_word, user_id=user.id, now=now)
    if query.plate_word and plate is None:
        query = query.with_plate_word("")
        form = maker.form(query, plate_text="")
        return await maker.page(form, await maker.listing(query, None, heavy), has_forgotten=True)
    form = maker.form(query, plate_text=plate.text if plate else "")
    if form.has_problem:
        return await maker.page(form, EMPTY_LIST, status=422)
    try:
        shown = await maker.listing(query, plate, heavy)
    except SearchTooWideError:
        return await maker.page(form, EMPTY_LIST, status=422, is_too_wide=True)
    return await maker.page(form, shown)


@router.post(f"{LIST_PATH}/search")
async def search(
    request: Request,
    filled: Annotated[SearchForm, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    passages: Passages,
    now: Now,
) -> Response:
    """Turn the filters into an address; what can't be searched for comes back with the reason."""
    user = acting.user
    maker = _Maker(
        request, console=console, user=user, connection=connection, passages=passages, now=now
    )
    query = filled.query()
    try:
        plate = parse_plate(filled.plate)
    except InvalidPlatePatternError:
        form = maker.form(query, plate_text=filled.plate, is_plate_wrong=True)
        return await maker.page(form, EMPTY_LIST, status=422)
    form = maker.form(query, plate_text=filled.plate)
    if form.has_problem:
        return await maker.page(form, EMPTY_LIST, status=422)
    if plate is not None:
        await passages.note_search(plate, actor=acting.actor, now=now)
        query = query.with_plate_word(console.shelf.remember(plate, user_id=user.id, now=now))
    return RedirectResponse(query.url(), status_code=303)


@router.post("/console/find")
async def find(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    passages: Passages,
    now: Now,
    text: Annotated[str, Form(max_length=FIND_LENGTH_MAX)] = "",
) -> Response:
    """Lead from the palette to a dossier by its whole code, or to the passages of a plate."""
    acting.user.require(Permission.SEE_PASSAGES)
    code = text.strip().upper()
    if _DOSSIER_CODE.fullmatch(code) and acting.user.may(Permission.SEE_DOSSIERS):
        return RedirectResponse(f"/console/dossiers/{code}", status_code=303)
    filled = SearchForm(plate=text.strip()[:PLATE_LENGTH_MAX])
    return await search(
        request,
        filled,
        console=console,
        acting=acting,
        connection=connection,
        passages=passages,
        now=now,
    )


@router.get(f"{LIST_PATH}/{{passage_id}}")
async def detail_page(
    request: Request,
    passage_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    passages: Passages,
    now: Now,
) -> Response:
    """The details of one passage: a page of its own, or the pane beside the list."""
    speech = console.renderer.speeches[language_of(request)]
    user = acting.user
    found = await passages.look_at(passage_id, scope=user.scope, actor=acting.actor, now=now)
    detail = detail_view(found, speech)
    may_look = user.may(Permission.LOOK_UP_VEHICLES)
    if "hx-request" in request.headers:
        return console.renderer.piece(
            request, "passages/detail.html", detail=detail, is_page=False, may_look=may_look
        )
    return console.renderer.page(
        request,
        "passages/detail_page.html",
        user=user,
        detail=detail,
        is_page=True,
        may_look=may_look,
    )


class _Maker:
    """Makes the list's page for one request."""

    def __init__(
        self,
        request: Request,
        *,
        console: ConsoleParts,
        user: User,
        connection: AsyncConnection,
        passages: PassageService,
        now: datetime,
    ) -> None:
        self._request = request
        self._renderer = console.renderer
        self._speech = console.renderer.speeches[language_of(request)]
        self._user = user
        self._connection = connection
        self._passages = passages
        self._sites = SiteService(connection)
        self._now = now

    def form(self, query: ListQuery, *, plate_text: str, is_plate_wrong: bool = False) -> FormView:
        """The filters as they were chosen, with what is wrong about them."""
        _ = self._speech.text
        is_ordered = has_order(query, now=self._now)
        return FormView(
            query=query,
            plate=plate_text,
            is_active=bool(plate_text) or query.is_active,
            plate_problem=_("Only letters, digits, ? and * please.") if is_plate_wrong else None,
            range_problem=None if is_ordered else _("The end must come after the beginning."),
        )

    async def listing(
        self, query: ListQuery, plate: PlatePattern | None, heavy: HeavyReads
    ) -> ListView:
        """One page of the list, out of one database."""
        wanted = query.as_filter(plate=plate, now=self._now)
        if not is_heavy(wanted, query.as_page(), now=self._now):
            return await self._listing(self._passages, query, wanted)
        return await heavy.ask(
            lambda connection: self._listing(self._passages.on(connection), query, wanted)
        )

    async def _listing(
        self, passages: PassageService, query: ListQuery, wanted: PassageFilter
    ) -> ListView:
        """The same; the feed's end is read first, so that no row falls between."""
        position = await passages.feed_position()
        page = await passages.search(wanted, query.as_page(), scope=self._user.scope, now=self._now)
        count = await passages.count(wanted, scope=self._user.scope)
        newer = query.newer()
        rows = tuple(row_view(summary, self._speech) for summary in page.passages)
        return ListView(
            rows=rows,
            count_text=count_text(count, self._speech),
            range_text=f"{rows[-1].time_and_date} → {rows[0].time_and_date}" if rows else "",
            newer_url=newer.url() if newer is not None else None,
            older_url=query.older(cursor_text(page.next)).url() if page.next else None,
            export_url=(
                query.without_page().url(EXPORT_PATH)
                if self._user.may(Permission.LOOK_UP_VEHICLES)
                else None
            ),
            live_url=query.url(STREAM_PATH) if newer is None else None,
            position=position,
        )

    async def page(
        self,
        form: FormView,
        shown: ListView,
        *,
        status: int = 200,
        has_forgotten: bool = False,
        is_too_wide: bool = False,
    ) -> Response:
        """The whole page."""
        scope = self._user.scope
        return self._renderer.page(
            self._request,
            "passages/list.html",
            user=self._user,
            status=status,
            form=form,
            list=shown,
            rows=shown.rows,
            has_forgotten=has_forgotten,
            is_too_wide=is_too_wide,
            places=place_views(await self._sites.sites(scope), await self._sites.cameras(scope)),
            overview=await health_strip(self._connection, self._user, self._speech, now=self._now),
        )
