# SPDX-License-Identifier: AGPL-3.0-or-later
"""Similar readings of one passage, and the list as a file: looks for which a reason is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg import AsyncConnection
from starlette.responses import Response

from api.console.exports.files import file_response
from api.console.exports.sheet import FileKind, Sheet
from api.console.filters import LIST_PATH, ListQuery
from api.console.labels import words
from api.console.parts import Console, ConsoleParts
from api.console.reasons import reason_problems
from api.console.views import RowView, count_text, row_view
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now
from api.pages.i18n import Speech
from api.pages.rendering import language_of
from central.audit.types import CASE_REFERENCE_LENGTH_MAX, Purpose
from central.identity.permissions import Permission
from central.passages.looking import EXPORT_ROWS_MAX, SIMILAR_WITHIN, PassageLookService
from central.passages.service import PassageService
from central.passages.types import PassageFilter, PassageSummary

EXPORT_PATH: Final = f"{LIST_PATH}/export"
KIND_LENGTH_MAX: Final = 10

VERY_ALIKE_BELOW: Final = 0.7
"""Distances below are called very alike: at most two look-alike characters differ."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonView:
    """The question why, as it stands in its form."""

    reason: LookForm
    reason_problem: str | None = None
    reference_problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarView:
    """A similar reading as a row; ``alike`` says how much so."""

    row: RowView
    alike: str


@router.get(EXPORT_PATH)
async def export_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """The question why the list is taken along, and as what."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    return await maker.export_question(ReasonView(reason=LookForm()))


@router.post(EXPORT_PATH)
async def export(
    request: Request,
    reason: LookFormDep,
    kind: Annotated[str, Form(alias="file", max_length=KIND_LENGTH_MAX)] = FileKind.CSV,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """The list that the address describes, as a file."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    look = reason.look(acting.actor)
    if look is None:
        return await maker.export_question(maker.checked(reason), status=422)
    service = PassageLookService(connection, user=acting.user, look=look)
    rows = await service.export(maker.wanted(), now=now)
    chosen = FileKind(kind) if kind in set(FileKind) else FileKind.CSV
    return await file_response(passages_sheet(rows, maker.speech), chosen)


@router.get(f"{LIST_PATH}/{{passage_id}}/similar")
async def similar_question(
    request: Request,
    passage_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """The question why similar readings are wanted."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    await PassageService(connection).get(passage_id, scope=acting.user.scope)
    return maker.similar_question(passage_id, ReasonView(reason=LookForm()))


@router.post(f"{LIST_PATH}/{{passage_id}}/similar")
async def similar(
    request: Request,
    passage_id: UUID,
    reason: LookFormDep,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Readings around the passage's time that may be the same vehicle."""
    acting.user.require(Permission.LOOK_UP_VEHICLES)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    look = reason.look(acting.actor)
    if look is None:
        return maker.similar_question(passage_id, maker.checked(reason), status=422)
    service = PassageLookService(connection, user=acting.user, look=look)
    passage, found = await service.similar(passage_id, now=now)
    speech = maker.speech
    return console.renderer.page(
        request,
        "passages/similar.html",
        user=acting.user,
        passage=row_view(passage.summary, speech),
        within=speech.duration(SIMILAR_WITHIN),
        found=[
            SimilarView(row=row_view(each.passage, speech), alike=likeness(each.distance))
            for each in found
        ],
    )


def passages_sheet(rows: tuple[PassageSummary, ...], speech: Speech) -> Sheet:
    """Passages as a table, with words in the reader's language."""
    _ = speech.text
    labels = words(_)
    return Sheet(
        name="passages",
        title=_("Passages"),
        headings=(
            *(_("Time"), _("Plate"), _("Plate colour"), _("Confidence"), _("Vehicle")),
            *(_("Direction"), _("Site"), _("Camera"), _("Lane"), _("Speed (km/h)")),
            *(_("Sent late"), _("Stored at"), _("Number of the passage")),
        ),
        rows=[
            (
                each.captured_at,
                each.plate_text,
                labels["plate_colours"][each.plate_colour] if each.plate_colour else None,
                each.plate_confidence,
                labels["vehicle_classes"][each.vehicle_class or "vehicle"],
                labels["directions"][each.direction],
                each.site_name,
                each.camera_name,
                each.lane,
                round(each.speed_kmh, 1) if each.speed_kmh is not None else None,
                _("yes") if each.is_late else _("no"),
                each.stored_at,
                str(each.id),
            )
            for each in rows
        ],
    )


def likeness(distance: float) -> str:
    """How alike two readings are, as a code with words."""
    return "very" if distance < VERY_ALIKE_BELOW else "rather"


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
        self.speech = console.renderer.speeches[language_of(request)]
        self._request = request
        self._console = console
        self._user = acting.user
        self._connection = connection
        self._now = now
        self._query = ListQuery.parse(request.query_params).without_page()

    def wanted(self) -> PassageFilter:
        """The filter of the address.

        Raises:
            InvalidFilterError: The own range ends before it begins.
        """
        word, user_id = self._query.plate_word, self._user.id
        plate = self._console.shelf.recall(word, user_id=user_id, now=self._now)
        return self._query.as_filter(plate=plate, now=self._now)

    def checked(self, reason: LookForm) -> ReasonView:
        """A reason with what is wrong about it."""
        return ReasonView(reason=reason, **reason_problems(reason, self.speech))

    async def export_question(self, form: ReasonView, *, status: int = 200) -> Response:
        """The page that asks why the list is taken along."""
        count = await PassageService(self._connection).count(self.wanted(), scope=self._user.scope)
        return self._page(
            "passages/export.html",
            form,
            status=status,
            action=self._query.url(EXPORT_PATH),
            back=self._query.url(),
            count=count_text(count, self.speech),
            is_cut=count.count > EXPORT_ROWS_MAX,
            rows_max=self.speech.number(EXPORT_ROWS_MAX),
            has_forgotten=bool(self._query.plate_word) and self.wanted().plate is None,
        )

    def similar_question(
        self, passage_id: UUID, form: ReasonView, *, status: int = 200
    ) -> Response:
        """The page that asks why similar readings are wanted."""
        return self._page(
            "passages/similar_question.html",
            form,
            status=status,
            passage_url=f"{LIST_PATH}/{passage_id}",
        )

    def _page(self, template: str, form: ReasonView, *, status: int, **values: object) -> Response:
        return self._console.renderer.page(
            self._request,
            template,
            user=self._user,
            status=status,
            form=form,
            purpose_codes=tuple(Purpose),
            reference_max=CASE_REFERENCE_LENGTH_MAX,
            **values,
        )
