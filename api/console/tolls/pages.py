# SPDX-License-Identifier: AGPL-3.0-or-later
"""Today's stations and crossings, one crossing, and a person's decision about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from psycopg import AsyncConnection
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.console.tolls.query import TOLLS_PATH, TollQuery
from api.console.tolls.views import (
    CrossingView,
    DetailView,
    StationView,
    crossing_view,
    detail_view,
    station_view,
)
from api.console.views import DetailView as PassageView
from api.console.views import detail_view as passage_view
from api.deps.acting import Acting, ActingDep
from api.deps.looks import ListLook
from api.deps.request import Connection, Now
from api.pages.rendering import language_of
from central.domain.local_time import local_date
from central.domain.toll_groups import TOLL_GROUPS
from central.errors import CentralError, PassageNotFoundError, StaleVersionError
from central.identity.permissions import Permission
from central.ledger.errors import InsufficientBalanceError
from central.ledger.service import LedgerService
from central.passages.service import PassageService
from central.tolling.errors import (
    AlreadyRefundedError,
    CrossingNotChargedError,
    CrossingNotInReviewError,
    TariffMissingError,
    TollAccountLockedError,
    TollAccountNotFoundError,
)
from central.tolling.service import TollService
from central.tolling.types import (
    NOTE_LENGTH_MAX,
    ChargeAfterAll,
    CrossingState,
    Reason,
    Refund,
    RefundReason,
    ReviewDecision,
    Waive,
    WaiverReason,
)

REVIEW_PATH: Final = f"{TOLLS_PATH}/review"
REFUSED_ORIGIN: Final = CrossingState.REFUSED.value
ACCOUNT_LENGTH_MAX: Final = 40

_UNSUGGESTED: Final = frozenset({Reason.WRONG_TAG})
"""The tag's account is no suggestion for a vehicle that bears somebody else's tag."""

router = APIRouter(include_in_schema=False)


class DecisionForm(BaseModel):
    """What a person filled in about a crossing."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    decision: Annotated[str, Field(pattern="^(charge|waive)$")]
    account_number: Annotated[str, Field(max_length=100)] = ""
    vehicle_group: Annotated[str, Field(max_length=10)] = ""
    reason: Annotated[str, Field(max_length=40)] = ""
    note: Annotated[str, Field(max_length=2 * NOTE_LENGTH_MAX)] = ""
    origin: Annotated[str, Field(max_length=20)] = ""
    """Where the form was filled in: a review goes on with the next one."""


class RefundForm(BaseModel):
    """Why a person gives a charge back."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    reason: RefundReason
    note: Annotated[str, Field(max_length=NOTE_LENGTH_MAX)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """The decision's form as it stands.

    Attributes:
        problem: What has to be put right; ``None`` when nothing was sent yet.
    """

    decision: str
    account_number: str
    vehicle_group: str
    reason: str
    note: str
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One page of crossings."""

    rows: tuple[CrossingView, ...]
    newest_url: str | None
    older_url: str | None


@router.get(TOLLS_PATH, dependencies=[ListLook])
async def tolls_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Today's numbers of every station, and the list of crossings."""
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    query = TollQuery.parse(request.query_params)
    return maker.page(
        "tolls/list.html",
        query=query,
        list=await maker.listing(query),
        stations=await maker.stations(),
        may_review=maker.may(Permission.REVIEW_TOLLS),
    )


@router.get(f"{TOLLS_PATH}/numbers")
async def numbers(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Today's numbers again, for refreshing them; by itself it leads to the page."""
    acting.user.require(Permission.SEE_TOLLS)
    if "hx-request" not in request.headers:
        return RedirectResponse(TOLLS_PATH, status_code=303)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    return console.renderer.piece(request, "tolls/numbers.html", stations=await maker.stations())


@router.get(REVIEW_PATH)
async def review_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Crossings that wait for a person."""
    acting.user.require(Permission.REVIEW_TOLLS)
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    query = TollQuery(state=CrossingState.REVIEW, at=request.query_params.get("at", ""))
    return maker.page(
        "tolls/review.html", query=query, list=await maker.listing(query, REVIEW_PATH)
    )


@router.get(f"{TOLLS_PATH}/{{crossing_id:uuid}}")
async def crossing_page(
    request: Request,
    crossing_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """One crossing with everything that belongs to it."""
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    return await maker.crossing(crossing_id)


@router.post(f"{TOLLS_PATH}/{{crossing_id:uuid}}/decide")
async def decide(
    request: Request,
    crossing_id: UUID,
    filled: Annotated[DecisionForm, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Charge after all or waive, then go on with the next; what is wrong comes back in the form."""
    maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
    acting.user.require(Permission.REVIEW_TOLLS)
    decision = maker.decision_of(filled)
    if isinstance(decision, str):
        return await maker.crossing(crossing_id, filled=filled, problem=decision)
    service = TollService(connection)
    try:
        await service.decide(
            crossing_id,
            decision,
            version=filled.version,
            user=acting.user,
            actor=acting.actor,
            now=now,
        )
    except (
        TollAccountNotFoundError,
        TollAccountLockedError,
        TariffMissingError,
        InsufficientBalanceError,
    ) as error:
        problem = maker.words_of(error)
        return await maker.crossing(crossing_id, filled=filled, problem=problem)
    except (StaleVersionError, CrossingNotInReviewError):
        return await maker.crossing(crossing_id, filled=filled, has_conflict=True)
    if filled.origin == REFUSED_ORIGIN:
        return RedirectResponse(f"{TOLLS_PATH}/{crossing_id}", status_code=303)
    following = await service.next_in_review(crossing_id, user=acting.user)
    target = f"{TOLLS_PATH}/{following}" if following else REVIEW_PATH
    return RedirectResponse(target, status_code=303)


@router.post(f"{TOLLS_PATH}/{{crossing_id:uuid}}/refund")
async def refund(
    request: Request,
    crossing_id: UUID,
    filled: Annotated[RefundForm, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Give a whole charge back, and show the crossing with it."""
    try:
        await TollService(connection).refund(
            crossing_id,
            Refund(reason=filled.reason, note=filled.note.strip()),
            version=filled.version,
            user=acting.user,
            actor=acting.actor,
            now=now,
        )
    except (StaleVersionError, AlreadyRefundedError, CrossingNotChargedError):
        maker = _Maker(request, console=console, acting=acting, connection=connection, now=now)
        return await maker.crossing(crossing_id, has_conflict=True)
    return RedirectResponse(f"{TOLLS_PATH}/{crossing_id}", status_code=303)


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
        self._request = request
        self._renderer = console.renderer
        self._speech = console.renderer.speeches[language_of(request)]
        self._acting = acting
        self._tolls = TollService(connection)
        self._passages = PassageService(connection)
        self._ledger = LedgerService(connection)
        self._now = now

    def may(self, permission: Permission) -> bool:
        """Whether the user may do something."""
        return self._acting.user.may(permission)

    async def stations(self) -> tuple[StationView, ...]:
        """Every station's numbers of today."""
        days = await self._tolls.station_days(local_date(self._now), user=self._acting.user)
        return tuple(station_view(each, self._speech) for each in days)

    async def listing(self, query: TollQuery, path: str = TOLLS_PATH) -> ListView:
        """One page of the crossings that an address describes."""
        page = await self._tolls.crossings(
            query.as_filter(), query.as_page(), user=self._acting.user
        )
        return ListView(
            rows=tuple(crossing_view(each, self._speech) for each in page.crossings),
            newest_url=query.newest().url(path) if query.at else None,
            older_url=query.older(page.next).url(path) if page.next else None,
        )

    async def crossing(
        self,
        crossing_id: UUID,
        *,
        filled: DecisionForm | None = None,
        problem: str | None = None,
        has_conflict: bool = False,
    ) -> Response:
        """One crossing's page; in a conflict it says that somebody else was faster."""
        user = self._acting.user
        found = await self._tolls.crossing(
            crossing_id, user=user, actor=self._acting.actor, now=self._now
        )
        crossing = found.crossing
        entries = [
            await self._ledger.entry(each)
            for each in (crossing.ledger_entry_id, crossing.refund_entry_id)
            if each is not None
        ]
        detail = detail_view(
            found, entries, self._speech, may_see_vehicle=user.may(Permission.LOOK_UP_VEHICLES)
        )
        return self.page(
            "tolls/crossing.html",
            status=409 if has_conflict else 422 if problem else 200,
            has_conflict=has_conflict,
            detail=detail,
            passage=await self._passage(crossing.passage_id),
            form=_form_view(detail, filled, problem=problem),
            groups=TOLL_GROUPS,
            may_review=user.may(Permission.REVIEW_TOLLS),
            may_refund=user.may(Permission.CLOSE_TOLL_DAYS),
        )

    def decision_of(self, filled: DecisionForm) -> ReviewDecision | str:
        """What a person decided, or what has to be put right."""
        _ = self._speech.text
        note = filled.note.strip()
        if len(note) > NOTE_LENGTH_MAX:
            return _("The note has at most 500 characters.")
        if filled.decision == "waive":
            if filled.reason not in set(WaiverReason):
                return _("Choose a reason for waiving.")
            return Waive(reason=WaiverReason(filled.reason), note=note)
        number = filled.account_number.strip().upper()
        if not 1 <= len(number) <= ACCOUNT_LENGTH_MAX:
            return _("Enter the number of the traffic account.")
        if filled.vehicle_group not in {str(group) for group in TOLL_GROUPS}:
            return _("Choose a toll group.")
        return ChargeAfterAll(
            account_number=number, vehicle_group=int(filled.vehicle_group), note=note
        )

    def words_of(self, error: CentralError) -> str:
        """Why a charge could not be booked."""
        _ = self._speech.text
        if isinstance(error, InsufficientBalanceError):
            text = _("The account holds %(balance)s, the price is %(price)s. Nothing was charged.")
            return text % {
                "balance": self._speech.money(error.balance_dong),
                "price": self._speech.money(error.needed_dong),
            }
        if isinstance(error, TollAccountLockedError):
            return _("This traffic account is locked or closed")
        if isinstance(error, TariffMissingError):
            return _("This station has no price for this group on that day")
        return _("No traffic account has this number")

    def page(self, template: str, *, status: int = 200, **values: object) -> Response:
        """A whole page."""
        return self._renderer.page(
            self._request, template, user=self._acting.user, status=status, **values
        )

    async def _passage(self, passage_id: UUID | None) -> PassageView | None:
        """The passage with its pictures; ``None`` when there is none, or it was erased."""
        if passage_id is None:
            return None
        try:
            found = await self._passages.get(passage_id, scope=self._acting.user.scope)
        except PassageNotFoundError:
            return None
        return passage_view(found, self._speech)


def _form_view(detail: DetailView, filled: DecisionForm | None, *, problem: str | None) -> FormView:
    """The form as it was filled in, or with what is suggested."""
    if filled is None:
        return FormView(
            decision="",
            account_number="" if detail.reason_code in _UNSUGGESTED else detail.row.account,
            vehicle_group=str(detail.row.group or ""),
            reason="",
            note="",
            problem=None,
        )
    return FormView(
        decision=filled.decision,
        account_number=filled.account_number,
        vehicle_group=filled.vehicle_group,
        reason=filled.reason,
        note=filled.note,
        problem=problem,
    )
