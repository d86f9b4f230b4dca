# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searching passages and looking at one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from api.deps.acting import ActingDep
from api.deps.heavy import Heavy
from api.deps.looks import ListLook
from api.deps.request import Connection, MaySeePassages, Now, Passages, ProcessDep
from api.v1.convoy_schemas import CompanionsFoundBody, ConvoyBody
from api.v1.documented import problems
from api.v1.requests import AlikePlatesBody, PassageSearchBody
from api.v1.schemas import AlikePlatesFoundBody, PassageBody, PassagePageBody
from central.passages.alike import AlikePlateService
from central.passages.convoys import ConvoyService
from central.passages.service import is_heavy

router = APIRouter(prefix="/v1/passages", tags=["passages"])


@router.post(
    "/search",
    dependencies=[MaySeePassages, ListLook],
    responses=problems(
        "not-signed-in",
        "permission-denied",
        "request-invalid",
        "filter-invalid",
        "search-too-wide",
        "plate-pattern-invalid",
        "cursor-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
)
async def search_passages(
    body: Annotated[PassageSearchBody, Body()],
    *,
    acting: ActingDep,
    passages: Passages,
    heavy: Heavy,
    now: Now,
) -> PassagePageBody:
    """One page of passages, newest first; page on with ``next_cursor``."""
    wanted = body.as_filter()
    if wanted.plate is not None:
        await passages.note_search(wanted.plate, actor=acting.actor, now=now)
    wish = body.as_page()
    if not is_heavy(wanted, wish, now=now):
        page = await passages.search(wanted, wish, scope=acting.user.scope, now=now)
    else:
        page = await heavy.ask(
            lambda connection: passages.on(connection).search(
                wanted, wish, scope=acting.user.scope, now=now
            )
        )
    return PassagePageBody.of(page)


@router.post(
    "/alike",
    responses=problems(
        "not-signed-in",
        "permission-denied",
        "request-invalid",
        "filter-invalid",
        "search-too-wide",
        "plate-pattern-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
)
async def find_alike_plates(
    body: Annotated[AlikePlatesBody, Body()],
    *,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
    heavy: Heavy,
    now: Now,
) -> AlikePlatesFoundBody:
    """Plates that fit a pattern or are easily read for one that does, the likeliest first."""
    service = AlikePlateService(
        connection,
        user=acting.user,
        look=body.look(acting.actor),
        search_time=process.settings.database_search_time,
        reads=heavy,
    )
    return AlikePlatesFoundBody.of(await service.find(body.question(), now=now))


@router.post(
    "/convoys",
    responses=problems(
        "not-signed-in",
        "permission-denied",
        "request-invalid",
        "filter-invalid",
        "search-too-wide",
        "plate-pattern-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
)
async def find_companions(
    body: Annotated[ConvoyBody, Body()],
    *,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
    heavy: Heavy,
    now: Now,
) -> CompanionsFoundBody:
    """Vehicles seen together with one at three sites or more, those met at most sites first."""
    service = ConvoyService(
        connection,
        user=acting.user,
        look=body.look(acting.actor),
        search_time=process.settings.database_search_time,
        reads=heavy,
    )
    return CompanionsFoundBody.of(await service.companions(body.question(), now=now))


@router.get(
    "/{passage_id}",
    dependencies=[MaySeePassages],
    responses=problems(
        "not-signed-in",
        "permission-denied",
        "passage-not-found",
        "request-invalid",
        "database-unavailable",
    ),
)
async def get_passage(
    passage_id: UUID, acting: ActingDep, passages: Passages, now: Now
) -> PassageBody:
    """One passage with everything that the device told, and where its pictures are."""
    found = await passages.look_at(passage_id, scope=acting.user.scope, actor=acting.actor, now=now)
    return PassageBody.of(found)
