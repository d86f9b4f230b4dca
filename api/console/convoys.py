# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vehicles that were seen together with one: the question with its purpose, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from api.console.filters import LIST_PATH, PLATE_LENGTH_MAX
from api.console.parts import Console, ConsoleParts
from api.console.plates import plate_lines
from api.console.reasons import reason_problems
from api.console.views import PlateView
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.heavy import Heavy
from api.deps.request import Connection, Now, ProcessDep
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.audit.types import CASE_REFERENCE_LENGTH_MAX, Purpose
from central.contracts.passage import PlateColour
from central.domain.plates import PlatePattern
from central.errors import InvalidFilterError, SearchTooWideError
from central.identity.permissions import Permission
from central.passages.convoys import (
    APART_MAX,
    COMPANIONS_MAX,
    SITES_MIN,
    ConvoyQuestion,
    ConvoyService,
)
from central.passages.rows import CompanionRow

CONVOYS_PATH: Final = f"{LIST_PATH}/convoys"
CHOICE_LENGTH_MAX: Final = 100
SPANS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {"week": timedelta(days=7), "month": timedelta(days=30), "quarter": timedelta(days=92)}
)
"""How far back to look, by the words of the choice."""

SPAN_CHOSEN: Final = "month"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvoyForm:
    """The question as it stands in its form, with what is wrong about it."""

    plate: str = ""
    span: str = SPAN_CHOSEN
    reason: LookForm = field(default_factory=LookForm)
    plate_problem: str | None = None
    reason_problem: str | None = None
    reference_problem: str | None = None
    is_too_wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanionView:
    """A vehicle that was seen together with the one asked for, as a row."""

    plate: PlateView
    sites: str
    meetings: str
    days: str
    first: str
    last: str


@router.get(CONVOYS_PATH)
async def convoys_page(request: Request, *, console: Console, acting: ActingDep) -> Response:
    """The empty question."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    return _Maker(request, console=console, acting=acting).page(ConvoyForm())


@router.post(CONVOYS_PATH)
async def convoys(
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
) -> Response:
    """Vehicles that were seen together with one, at most sites first."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting)
    form = ConvoyForm(plate=plate, span=span if span in SPANS else SPAN_CHOSEN, reason=reason)
    question = _question(form, now=now)
    look = reason.look(acting.actor)
    if question is None or look is None:
        return maker.page(maker.with_problems(form, question), status=422)
    service = ConvoyService(
        connection,
        user=acting.user,
        look=look,
        search_time=process.settings.database_search_time,
        reads=heavy,
    )
    try:
        found = await service.companions(question, now=now)
    except SearchTooWideError:
        return maker.page(replace(form, is_too_wide=True), status=422)
    return maker.page(form, found=found)


def _question(form: ConvoyForm, *, now: datetime) -> ConvoyQuestion | None:
    """What is asked; ``None`` when it names no whole plate."""
    try:
        pattern = PlatePattern.parse(form.plate)
    except InvalidFilterError:
        return None
    if not pattern.is_exact:
        return None
    return ConvoyQuestion(plate_text=pattern.text, since=now - SPANS[form.span], until=now)


class _Maker:
    """Makes the page for one request."""

    def __init__(self, request: Request, *, console: ConsoleParts, acting: Acting) -> None:
        self._request = request
        self._renderer = console.renderer
        self._speech = console.renderer.speeches[language_of(request)]
        self._user = acting.user

    def with_problems(self, form: ConvoyForm, question: ConvoyQuestion | None) -> ConvoyForm:
        """A form that has to be filled in again, with the reasons."""
        _ = self._speech.text
        return replace(
            form,
            plate_problem=_("A whole plate please, without ? and *.") if question is None else None,
            **reason_problems(form.reason, self._speech),
        )

    def page(
        self,
        form: ConvoyForm,
        *,
        status: int = 200,
        found: Sequence[CompanionRow] | None = None,
    ) -> Response:
        """The question, and what was found below it."""
        _ = self._speech.text
        return self._renderer.page(
            self._request,
            "passages/convoys.html",
            user=self._user,
            status=status,
            form=form,
            spans={
                "week": _("The last 7 days"),
                "month": _("The last 30 days"),
                "quarter": _("The last 3 months"),
            },
            purpose_codes=tuple(Purpose),
            reference_max=CASE_REFERENCE_LENGTH_MAX,
            apart=self._speech.duration(APART_MAX),
            sites_min=SITES_MIN,
            found=None if found is None else [_view(each, self._speech) for each in found],
            is_cut=found is not None and len(found) >= COMPANIONS_MAX,
        )


def _view(companion: CompanionRow, speech: Speech) -> CompanionView:
    lines = plate_lines(companion.plate_text, layout=None, vehicle_class=None)
    return CompanionView(
        plate=PlateView(lines=lines, colour=PlateColour.UNKNOWN),
        sites=speech.number(companion.sites),
        meetings=speech.number(companion.meetings),
        days=speech.number(companion.days),
        first=speech.time_and_date(companion.first_at),
        last=speech.time_and_date(companion.last_at),
    )
