# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding a vehicle, saying why, and seeing everything about it.

Addresses hold a vehicle's id or a random word, never a plate. A reason is asked before the first
look of a visit, and every look is written to the audit log, also those that need no new question.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.alerts import of_vehicle as alerts_of_vehicle
from api.console.dossiers import of_vehicle as dossiers_of_vehicle
from api.console.filters import ListQuery
from api.console.parts import Console, ConsoleParts
from api.console.reasons import reason_problems
from api.console.tolls import of_vehicle as tolls_of_vehicle
from api.console.vehicles.views import LIST_PATH, FoundView, found_view, vehicle_view
from api.console.views import RowView, row_view
from api.console.watchlist import of_vehicle as watchlist_of_vehicle
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now
from api.pages.rendering import language_of
from api.security.cookies import session_token
from central.audit.types import CASE_REFERENCE_LENGTH_MAX, Purpose
from central.contracts.passage import PlateColour
from central.domain.local_time import local_date, start_of_local_day
from central.domain.plates import PlatePattern
from central.errors import InvalidPlatePatternError
from central.identity.permissions import Permission
from central.passages.service import PassageService
from central.passages.types import PageRequest, PassageFilter
from central.registry.errors import VehicleSearchTooWideError
from central.registry.service import SEARCH_CHARACTERS_MIN, SEARCH_ROWS_MAX, RegistryService
from central.registry.types import PlateKey, Vehicle

TEXT_LENGTH_MAX: Final = 60
WORD: Final = r"^[A-Za-z0-9_-]{16}$"
PASSAGES_SHOWN_MAX: Final = 10
PASSAGES_ALONE_MAX: Final = 50
"""Most passages when only they are shown; all of them are a link away."""

router = APIRouter(include_in_schema=False)


class VehiclePart(StrEnum):
    """What of a vehicle's page is shown; a link each, so that it works without scripts."""

    ALL = "all"
    PAPERS = "papers"
    PASSAGES = "passages"
    ALERTS = "alerts"
    TOLLS = "tolls"
    DOSSIERS = "dossiers"
    WATCHLIST = "watchlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchView:
    """The search as it stands in its form.

    Attributes:
        text_problem: What is wrong with the text; ``None`` when nothing is.
        reason_problem: What is wrong with the purpose.
        reference_problem: What is wrong with the case number.
    """

    text: str = ""
    reason: LookForm = field(default_factory=LookForm)
    text_problem: str | None = None
    reason_problem: str | None = None
    reference_problem: str | None = None

    @property
    def has_problem(self) -> bool:
        """Whether something must be put right."""
        problems = (self.text_problem, self.reason_problem, self.reference_problem)
        return any(problem is not None for problem in problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagesView:
    """The newest passages under the vehicle's plate.

    Attributes:
        more_url: The list filtered by the plate.
    """

    rows: tuple[RowView, ...]
    more_url: str


@router.get(LIST_PATH)
async def search_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    word: Annotated[str, Query(alias="q", pattern=rf"{WORD}|^$")] = "",
) -> Response:
    """The search, with what was found if there was one in this visit."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    if not word:
        return maker.search(SearchView())
    pattern = console.shelf.recall(word, user_id=acting.user.id, now=now)
    reason = maker.recall(word)
    look = reason.look(acting.actor) if reason is not None else None
    if pattern is None or reason is None or look is None:
        return maker.search(SearchView(), is_forgotten=True)
    found = await maker.registry.search(pattern.text, user=acting.user, look=look, now=now)
    for vehicle in found:
        maker.remember(reason, vehicle.id)
    return maker.search(SearchView(text=pattern.text, reason=reason), found=found)


@router.post(f"{LIST_PATH}/search")
async def search(
    request: Request,
    reason: LookFormDep,
    text: Annotated[str, Form(max_length=TEXT_LENGTH_MAX)] = "",
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Look for vehicles; the only one that fits is opened at once."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    filled = maker.checked(text, reason)
    look = reason.look(acting.actor)
    if filled.has_problem or look is None:
        return maker.search(filled, status=422)
    pattern = PlatePattern.parse(text)
    found = await maker.registry.search(text, user=acting.user, look=look, now=now)
    for vehicle in found:
        maker.remember(reason, vehicle.id)
    if len(found) == 1:
        return RedirectResponse(f"{LIST_PATH}/{found[0].id}", status_code=303)
    word = console.shelf.remember(pattern, user_id=acting.user.id, now=now)
    maker.remember(reason, word)
    return RedirectResponse(f"{LIST_PATH}?q={word}", status_code=303)


@router.get(f"{LIST_PATH}/{{vehicle_id}}")
async def vehicle_page(
    request: Request,
    vehicle_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    is_asked: Annotated[bool, Query(alias="ask")] = False,
    part: VehiclePart = VehiclePart.ALL,
) -> Response:
    """Everything about one vehicle, once a reason was given; until then the question."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    reason = maker.recall(vehicle_id)
    if reason is None or is_asked:
        return maker.question(vehicle_id, SearchView(reason=reason or LookForm()))
    return await maker.vehicle(vehicle_id, reason, part=part)


@router.post(f"{LIST_PATH}/{{vehicle_id}}/look")
async def look_at_vehicle(
    request: Request,
    vehicle_id: UUID,
    reason: LookFormDep,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Take the reason, then show the vehicle."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    filled = maker.with_reason_checked(SearchView(reason=reason))
    if filled.has_problem:
        return maker.question(vehicle_id, filled, status=422)
    maker.remember(reason, vehicle_id)
    return RedirectResponse(f"{LIST_PATH}/{vehicle_id}", status_code=303)


class _Maker:
    """Makes the pages for one request."""

    def __init__(
        self,
        request: Request,
        *,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
        now: datetime,
    ) -> None:
        self.registry = RegistryService(connection)
        self._request = request
        self._console = console
        self._speech = console.renderer.speeches[language_of(request)]
        self._acting = acting
        self._connection = connection
        self._now = now
        self._today = local_date(now)
        self._session = session_token(request) or ""

    def remember(self, reason: LookForm, subject: UUID | str) -> None:
        """Keep a reason for the rest of this visit."""
        self._console.reasons.remember(
            reason, session=self._session, subject=subject, now=self._now
        )

    def recall(self, subject: UUID | str) -> LookForm | None:
        """The reason given in this visit."""
        return self._console.reasons.recall(session=self._session, subject=subject, now=self._now)

    def checked(self, text: str, reason: LookForm) -> SearchView:
        """A search with what is wrong about it."""
        _ = self._speech.text
        problem = None
        try:
            self.registry.pattern_of(text)
        except VehicleSearchTooWideError:
            problem = _("Give at least %(number)s letters or digits.") % {
                "number": SEARCH_CHARACTERS_MIN
            }
        except InvalidPlatePatternError:
            problem = _("Only letters, digits, ? and * please.")
        return self.with_reason_checked(SearchView(text=text, reason=reason, text_problem=problem))

    def with_reason_checked(self, view: SearchView) -> SearchView:
        """The same with what is wrong about the reason."""
        return replace(view, **reason_problems(view.reason, self._speech))

    def search(
        self,
        view: SearchView,
        *,
        found: tuple[Vehicle, ...] | None = None,
        is_forgotten: bool = False,
        status: int = 200,
    ) -> Response:
        """The search page."""
        shown: tuple[FoundView, ...] | None = None
        if found is not None:
            shown = tuple(found_view(vehicle, today=self._today) for vehicle in found)
        return self._console.renderer.page(
            self._request,
            "vehicles/search.html",
            user=self._acting.user,
            status=status,
            form=view,
            found=shown,
            found_max=SEARCH_ROWS_MAX,
            is_forgotten=is_forgotten,
            purpose_codes=tuple(Purpose),
            reference_max=CASE_REFERENCE_LENGTH_MAX,
        )

    def question(self, vehicle_id: UUID, view: SearchView, *, status: int = 200) -> Response:
        """The page that asks why."""
        return self._console.renderer.page(
            self._request,
            "vehicles/question.html",
            user=self._acting.user,
            status=status,
            vehicle_id=vehicle_id,
            form=view,
            purpose_codes=tuple(Purpose),
            reference_max=CASE_REFERENCE_LENGTH_MAX,
        )

    async def vehicle(self, vehicle_id: UUID, reason: LookForm, *, part: VehiclePart) -> Response:
        """The vehicle's own page, or a part of it."""
        user, connection, speech = self._acting.user, self._connection, self._speech
        look = reason.look(self._acting.actor)
        if look is None:
            return self.question(vehicle_id, self.with_reason_checked(SearchView(reason=reason)))
        record = await self.registry.record(vehicle_id, user=user, look=look, now=self._now)
        passages = await self._passages(record.vehicle, part=part)
        dossiers = await dossiers_of_vehicle.section(
            connection, vehicle_id, user, speech, now=self._now
        )
        watchlist = await watchlist_of_vehicle.section(
            connection, self._plate(record.vehicle), user, speech, now=self._now
        )
        absent = {
            name
            for name, section in (
                (VehiclePart.PASSAGES, passages),
                (VehiclePart.DOSSIERS, dossiers),
                (VehiclePart.WATCHLIST, watchlist),
            )
            if section is None
        }
        return self._console.renderer.page(
            self._request,
            "vehicles/vehicle.html",
            user=user,
            part=part,
            parts=[each for each in VehiclePart if each not in absent],
            passages=passages,
            alerts=await alerts_of_vehicle.section(connection, vehicle_id, user, speech),
            tolls=await tolls_of_vehicle.section(connection, vehicle_id, user, speech),
            dossiers=dossiers,
            watchlist=watchlist,
            vehicle=vehicle_view(record, speech, today=self._today),
            reason=reason,
            may_take_in=user.may(Permission.TAKE_IN_DOSSIERS),
        )

    def _plate(self, vehicle: Vehicle) -> PlateKey | None:
        """The plate that the vehicle bears today."""
        period = next((each for each in vehicle.plates if each.holds_on(self._today)), None)
        return period.plate if period is not None else None

    async def _passages(self, vehicle: Vehicle, *, part: VehiclePart) -> PassagesView | None:
        """Passages under the plate that the vehicle bears, since it bears it."""
        period = next((each for each in vehicle.plates if each.holds_on(self._today)), None)
        user = self._acting.user
        if period is None or not user.may(Permission.SEE_PASSAGES):
            return None
        pattern = PlatePattern(text=period.plate.text)
        page = await PassageService(self._connection).search(
            PassageFilter(plate=pattern, captured_from=start_of_local_day(period.valid_from)),
            PageRequest(
                size=PASSAGES_ALONE_MAX if part is VehiclePart.PASSAGES else PASSAGES_SHOWN_MAX
            ),
            scope=user.scope,
            now=self._now,
        )
        fitting = {period.plate.colour, PlateColour.UNKNOWN, None}
        word = self._console.shelf.remember(pattern, user_id=user.id, now=self._now)
        return PassagesView(
            rows=tuple(
                row_view(each, self._speech)
                for each in page.passages
                if each.plate_colour in fitting
            ),
            more_url=ListQuery().with_plate_word(word).url(),
        )
