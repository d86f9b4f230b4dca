# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of dossiers by appointment, and finding one by its code."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.dossiers.desk import DeskDep
from api.console.dossiers.facts import word
from api.console.dossiers.query import DOSSIERS_PATH, STATES, DossierQuery, code_part
from api.console.dossiers.views import DossierRowView, row_view
from api.deps.looks import ListLook
from central.identity.permissions import Permission
from central.procedures.types import CODE_PATTERN
from central.procedures.views import OpenState

FIND_LENGTH_MAX: Final = 60
_CODE: Final = re.compile(CODE_PATTERN)

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsView:
    """How many open dossiers there are, and how many need somebody."""

    open: str
    overdue: str
    waiting: str
    has_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierListView:
    """The list around its rows."""

    query: DossierQuery
    rows: tuple[DossierRowView, ...]
    counts: CountsView
    open_url: str
    ended_url: str
    first_url: str | None
    next_url: str | None


@router.get(DOSSIERS_PATH, dependencies=[ListLook])
async def list_page(request: Request, desk: DeskDep) -> Response:
    """The list that an address describes."""
    service, user, speech, now = desk.service, desk.user, desk.speech, desk.now
    query = DossierQuery.parse(request.query_params)
    counted = await service.count_open(user=user, now=now)
    page = await service.list_dossiers(query.as_filter(user), query.as_page(), user=user, now=now)
    procedures = await service.procedures(user=user, on=desk.today)
    shown = DossierListView(
        query=query,
        rows=tuple(row_view(each, speech, now=now) for each in page.dossiers),
        counts=CountsView(
            open=speech.number(counted["open"]),
            overdue=speech.number(counted["overdue"]),
            waiting=speech.number(counted["supplement_requested"]),
            has_overdue=counted["overdue"] > 0,
        ),
        open_url=DossierQuery().url(),
        ended_url=DossierQuery(view=OpenState.ENDED).url(),
        first_url=query.first().url() if query.at else None,
        next_url=query.following(page.next).url() if page.next else None,
    )
    return desk.page(
        "dossiers/list.html",
        list=shown,
        states=STATES[query.view],
        procedures=tuple((each.id, word(each.name, speech)) for each in procedures),
        may_take_in=user.may(Permission.TAKE_IN_DOSSIERS),
    )


@router.post(f"{DOSSIERS_PATH}/find")
async def find(
    desk: DeskDep, code: Annotated[str, Form(max_length=FIND_LENGTH_MAX)] = ""
) -> Response:
    """A whole code leads to its dossier, a part of one to the list of those that hold it."""
    desk.user.require(Permission.SEE_DOSSIERS)
    part = code_part(code)
    if _CODE.fullmatch(part):
        return RedirectResponse(f"{DOSSIERS_PATH}/{part}", status_code=303)
    return RedirectResponse(DossierQuery(code=part).url(), status_code=303)
