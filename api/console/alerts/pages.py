# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of alerts, one alert, and what people do with it."""

from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.alerts.query import LIST_PATH, STREAM_PATH, AlertQuery, AlertView
from api.console.alerts.views import (
    AlertRowView,
    LateRowView,
    alert_detail,
    alert_row,
    late_row,
)
from api.console.parts import Console, ConsoleParts
from api.deps.acting import Acting, ActingDep
from api.deps.looks import ListLook
from api.deps.request import Connection, Now, SignedIn
from api.pages.rendering import language_of
from central.control.errors import AlertStateError
from central.control.service import AlertService
from central.control.types import CHOSEN_REASONS, NOTE_LENGTH_MAX, ClosingReason
from central.domain.control_law import RuleName
from central.errors import StaleVersionError
from central.identity.permissions import Permission

REASON_LENGTH_MAX: Final = 40
VERSION_MAX: Final = 2**31 - 1

router = APIRouter(include_in_schema=False)

Version = Annotated[int, Form(ge=1, le=VERSION_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertListView:
    """The list around its rows.

    Attributes:
        live_url: Address of changes; ``None`` where none appear by themselves.
        views: Each part of the list with its address.
    """

    query: AlertQuery
    rows: tuple[AlertRowView, ...]
    late_rows: tuple[LateRowView, ...]
    open_count: int
    views: tuple[tuple[str, str], ...]
    live_url: str | None
    position: int
    newest_url: str | None
    older_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseForm:
    """The form that ends an alert, as it was filled in."""

    reason: str = ""
    note: str = ""
    is_reason_missing: bool = False


@router.get(LIST_PATH, dependencies=[ListLook])
async def list_page(
    request: Request, *, console: Console, user: SignedIn, connection: Connection
) -> Response:
    """The list that an address describes.

    The feed's end is read first, so that nothing falls between the list and its changes.
    """
    service = AlertService(connection)
    speech = console.renderer.speeches[language_of(request)]
    query = AlertQuery.parse(request.query_params)
    open_count = await service.count_open(user=user)
    position = await service.feed_position()
    rows: tuple[AlertRowView, ...] = ()
    late_rows: tuple[LateRowView, ...] = ()
    if query.view is AlertView.LATE:
        late = await service.late_sightings(query.rule, query.as_page(), user=user)
        late_rows = tuple(late_row(each, speech) for each in late.sightings)
        following = late.next
    else:
        page = await service.list_alerts(query.as_filter(), query.as_page(), user=user)
        rows = tuple(alert_row(each, speech) for each in page.alerts)
        following = page.next
    shown = AlertListView(
        query=query,
        rows=rows,
        late_rows=late_rows,
        open_count=open_count,
        views=tuple((view.value, query.seen_as(view).url()) for view in AlertView),
        live_url=query.url(STREAM_PATH) if query.is_newest else None,
        position=position,
        newest_url=query.newest().url() if query.at else None,
        older_url=query.older(following).url() if following is not None else None,
    )
    return console.renderer.page(
        request, "alerts/list.html", user=user, list=shown, rules=tuple(RuleName)
    )


@router.get(f"{LIST_PATH}/{{alert_id}}")
async def alert_page(
    request: Request,
    alert_id: UUID,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """One alert; that it was opened is written down."""
    maker = _Maker(request, console=console, acting=acting, service=AlertService(connection))
    return await maker.page(alert_id, now=now)


@router.post(f"{LIST_PATH}/{{alert_id}}/acknowledge")
async def acknowledge(
    request: Request,
    alert_id: UUID,
    version: Version,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Take an alert; when somebody was quicker, the alert as it is now, with a word about that."""
    service = AlertService(connection)
    try:
        await service.acknowledge(
            alert_id, version=version, user=acting.user, actor=acting.actor, now=now
        )
    except (StaleVersionError, AlertStateError):
        maker = _Maker(request, console=console, acting=acting, service=service)
        return await maker.page(alert_id, now=now, status=409, is_stale=True)
    return RedirectResponse(f"{LIST_PATH}/{alert_id}", status_code=303)


@router.post(f"{LIST_PATH}/{{alert_id}}/close")
async def close(
    request: Request,
    alert_id: UUID,
    version: Version,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    reason: Annotated[str, Form(max_length=REASON_LENGTH_MAX)] = "",
    note: Annotated[str, Form(max_length=NOTE_LENGTH_MAX)] = "",
) -> Response:
    """End an alert with a reason from the list."""
    service = AlertService(connection)
    maker = _Maker(request, console=console, acting=acting, service=service)
    if reason not in set(CHOSEN_REASONS):
        acting.user.require(Permission.HANDLE_ALERTS)
        form = CloseForm(note=note, is_reason_missing=True)
        return await maker.page(alert_id, now=now, status=422, form=form)
    try:
        await service.close(
            alert_id,
            version=version,
            reason=ClosingReason(reason),
            note=note,
            user=acting.user,
            actor=acting.actor,
            now=now,
        )
    except (StaleVersionError, AlertStateError):
        form = CloseForm(reason=reason, note=note)
        return await maker.page(alert_id, now=now, status=409, is_stale=True, form=form)
    return RedirectResponse(f"{LIST_PATH}/{alert_id}", status_code=303)


class _Maker:
    """Makes an alert's page for one request."""

    def __init__(
        self, request: Request, *, console: ConsoleParts, acting: Acting, service: AlertService
    ) -> None:
        self._request = request
        self._renderer = console.renderer
        self._acting = acting
        self._service = service

    async def page(
        self,
        alert_id: UUID,
        *,
        now: Now,
        status: int = 200,
        is_stale: bool = False,
        form: CloseForm | None = None,
    ) -> Response:
        """The page of the alert as it is now."""
        user = self._acting.user
        record = await self._service.alert(alert_id, user=user, actor=self._acting.actor, now=now)
        return self._renderer.page(
            self._request,
            "alerts/detail.html",
            user=user,
            status=status,
            is_stale=is_stale,
            form=form or CloseForm(),
            reasons=CHOSEN_REASONS,
            note_length_max=NOTE_LENGTH_MAX,
            alert=alert_detail(
                record,
                self._renderer.speeches[language_of(self._request)],
                now=now,
                may_handle=user.may(Permission.HANDLE_ALERTS),
            ),
        )
