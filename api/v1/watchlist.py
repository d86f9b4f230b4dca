# SPDX-License-Identifier: AGPL-3.0-or-later
"""The watchlist for programs: list, add, remove."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.responses import Response

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from api.v1.alert_schemas import (
    AddedEntryBody,
    NewWatchlistEntryBody,
    WatchlistPageBody,
    WatchlistSearchBody,
)
from api.v1.alerts import list_request
from api.v1.documented import problems
from api.v1.once import OnceDep, Outcome
from central.control.watchlist import WatchlistService
from central.domain.plates import PlatePattern

router = APIRouter(prefix="/v1/watchlist", tags=["watchlist"])

_PROBLEMS: Final = (
    "not-signed-in",
    "permission-denied",
    "cross-origin-request",
    "request-invalid",
    "database-unavailable",
)


@router.post(
    "/search",
    responses=problems(*_PROBLEMS, "cursor-invalid", "plate-pattern-invalid", "body-too-large"),
)
async def search_watchlist(
    body: Annotated[WatchlistSearchBody, Body()],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> WatchlistPageBody:
    """One page of the list, newest first; a search for a plate is written to the audit log."""
    page = await WatchlistService(connection).entries(
        body.state,
        PlatePattern.parse(body.plate) if body.plate is not None else None,
        list_request(body.page_size, body.cursor),
        user=acting.user,
        actor=acting.actor,
        now=now,
    )
    return WatchlistPageBody.of(page)


@router.post(
    "",
    status_code=201,
    response_model=AddedEntryBody,
    responses=problems(
        *_PROBLEMS,
        "watchlist-entry-invalid",
        "idempotency-key-pending",
        "idempotency-key-reused",
        "body-too-large",
    ),
)
async def add_to_watchlist(
    body: Annotated[NewWatchlistEntryBody, Body()],
    *,
    once: OnceDep,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Put a plate on the list. The same plate may stand on it for several reasons."""

    async def change() -> Outcome:
        entry_id = await WatchlistService(connection).add(
            body.entry(), user=acting.user, actor=acting.actor, now=now
        )
        return Outcome(body=AddedEntryBody(id=entry_id), status=201)

    return await once.answer(change)


@router.delete(
    "/{entry_id}", status_code=204, responses=problems(*_PROBLEMS, "watchlist-entry-not-found")
)
async def remove_from_watchlist(
    entry_id: UUID, *, acting: ActingDep, connection: Connection, now: Now
) -> None:
    """Take a plate off the list; the entry's history and its alerts stay."""
    await WatchlistService(connection).remove(
        entry_id, user=acting.user, actor=acting.actor, now=now
    )
