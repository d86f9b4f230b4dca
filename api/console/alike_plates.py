# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plates over months that somebody half knows, or that a camera misread."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from api.console.filters import LIST_PATH, PLATE_LENGTH_MAX
from api.console.parts import Console, ConsoleParts
from api.console.passage_looks import likeness
from api.console.reasons import reason_problems
from api.console.views import RowView, row_view
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.heavy import Heavy
from api.deps.request import Connection, Now, ProcessDep
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.audit.types import CASE_REFERENCE_LENGTH_MAX, Purpose
from central.domain.plates import PlatePattern
from central.errors import InvalidFilterError, SearchTooWideError
from central.identity.permissions import Permission
from central.passages.alike import (
    KNOWN_MIN,
    AlikePlate,
    AlikePlates,
    AlikePlateService,
    AlikeQuestion,
)
from central.sites.service import SiteService

ALIKE_PATH: Final = f"{LIST_PATH}/alike"
CHOICE_LENGTH_MAX: Final = 100
SPANS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {
        "week": timedelta(days=7),
        "month": timedelta(days=30),
        "quarter": timedelta(days=92),
        "year": timedelta(days=366),
    }
)
"""How far back to look, by the words of the choice."""

SPAN_CHOSEN: Final = "quarter"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeForm:
    """The question as it stands in its form, with what is wrong about it."""

    plate: str = ""
    span: str = SPAN_CHOSEN
    site_id: str = ""
    reason: LookForm = field(default_factory=LookForm)
    plate_problem: str | None = None
    reason_problem: str | None = None
    reference_problem: str | None = None
    is_too_wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeView:
    """A plate that may be meant, as a row.

    Attributes:
        row: Its newest passage.
        alike: How much so, as a code with words; ``None`` when it fits as it stands.
    """

    row: RowView
    alike: str | None
    count_text: str
    first_text: str


@router.get(ALIKE_PATH)
async def alike_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection
) -> Response:
    """The empty question."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, sites=SiteService(connection))
    return await maker.page(AlikeForm())


@router.post(ALIKE_PATH)
async def alike(
    request: Request,
    reason: LookFormDep,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
    heavy: Heavy,
    now: Now,
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
    span: Annotated[str, Form(max_length=CHOICE_LENGTH_MAX)] = SPAN_CHOSEN,
    site: Annotated[str, Form(max_length=CHOICE_LENGTH_MAX)] = "",
) -> Response:
    """Plates that may be the one sought, the likeliest first."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, sites=SiteService(connection))
    form = AlikeForm(
        plate=plate,
        span=span if span in SPANS else SPAN_CHOSEN,
        site_id=await maker.known_site(site),
        reason=reason,
    )
    question = _question(form, now=now)
    look = reason.look(acting.actor)
    if question is None or look is None:
        return await maker.page(maker.with_problems(form, question), status=422)
    service = AlikePlateService(
        connection,
        user=acting.user,
        look=look,
        search_time=process.settings.database_search_time,
        reads=heavy,
    )
    try:
        found = await service.find(question, now=now)
    except SearchTooWideError:
        return await maker.page(replace(form, is_too_wide=True), status=422)
    return await maker.page(form, found=found)


def _question(form: AlikeForm, *, now: datetime) -> AlikeQuestion | None:
    """What is asked; ``None`` when the plate can't be searched for."""
    try:
        return AlikeQuestion(
            pattern=PlatePattern.parse(form.plate),
            since=now - SPANS[form.span],
            until=now,
            site_ids=(form.site_id,) if form.site_id else (),
        )
    except InvalidFilterError:
        return None


class _Maker:
    """Makes the page for one request."""

    def __init__(
        self, request: Request, *, console: ConsoleParts, acting: Acting, sites: SiteService
    ) -> None:
        self._request = request
        self._renderer = console.renderer
        self._speech = console.renderer.speeches[language_of(request)]
        self._user = acting.user
        self._sites = sites

    async def known_site(self, site_id: str) -> str:
        """A site that was chosen, or nothing when the user has none of that name."""
        known = {each.id for each in await self._sites.sites(self._user.scope)}
        return site_id if site_id in known else ""

    def with_problems(self, form: AlikeForm, question: AlikeQuestion | None) -> AlikeForm:
        """A form that has to be filled in again, with the reasons."""
        _ = self._speech.text
        return replace(
            form,
            plate_problem=(
                _("Only letters, digits, ? and *, and at least %(number)s letters or digits.")
                % {"number": KNOWN_MIN}
                if question is None
                else None
            ),
            **reason_problems(form.reason, self._speech),
        )

    async def page(
        self, form: AlikeForm, *, status: int = 200, found: AlikePlates | None = None
    ) -> Response:
        """The question, and what was found below it."""
        _ = self._speech.text
        return self._renderer.page(
            self._request,
            "passages/alike.html",
            user=self._user,
            status=status,
            form=form,
            spans={
                "week": _("The last 7 days"),
                "month": _("The last 30 days"),
                "quarter": _("The last 3 months"),
                "year": _("The last year"),
            },
            sites=await self._sites.sites(self._user.scope),
            purpose_codes=tuple(Purpose),
            reference_max=CASE_REFERENCE_LENGTH_MAX,
            found=None if found is None else [_view(each, self._speech) for each in found.plates],
            is_cut=found is not None and found.is_cut,
        )


def _view(plate: AlikePlate, speech: Speech) -> AlikeView:
    return AlikeView(
        row=row_view(plate.last, speech),
        alike=likeness(plate.distance) if plate.distance else None,
        count_text=speech.number(plate.passages),
        first_text=speech.local_date(plate.first_at),
    )
