# SPDX-License-Identifier: AGPL-3.0-or-later
"""Captured = stored, for a day: every device with its numbers, and every gap with its reason."""

import datetime as dt
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from api.v1.completeness_schemas import LedgerPageBody
from api.v1.documented import problems
from api.v1.road_schemas import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from central.completeness.service import CompletenessService
from central.completeness.types import FIRST_DAY, LAST_DAY, LedgerCursor
from central.contracts.identifiers import SLUG_PATTERN

CURSOR_PATTERN: Final = rf"{SLUG_PATTERN.removesuffix('$')}\.(0|[1-9][0-9]{{0,17}})$"


def _in_range(day: dt.date) -> dt.date:
    """A day of which there can be a ledger."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError("no device numbered anything then")
    return day


Day = Annotated[
    dt.date,
    AfterValidator(_in_range),
    Query(description="The day, in Vietnam.", examples=["2026-11-28"]),
]

router = APIRouter(prefix="/v1", tags=["roads"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")


@router.get("/completeness", responses=problems(*_PROBLEMS))
async def get_day_completeness(
    response: Response,
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    day: Day,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(pattern=CURSOR_PATTERN, description="`next_cursor` of the page before."),
    ] = None,
) -> LedgerPageBody:
    """One page of a day's ledger; the ETag changes when anything on the page does."""
    page = await CompletenessService(connection, user=acting.user).day(
        day, after=_place(cursor), size=page_size, now=now
    )
    body = LedgerPageBody.of(page)
    response.headers["ETag"] = f'"{hashlib.sha256(body.model_dump_json().encode()).hexdigest()}"'
    return body


def _place(cursor: str | None) -> LedgerCursor | None:
    if cursor is None:
        return None
    device_id, _, stream_id = cursor.rpartition(".")
    return LedgerCursor(device_id=device_id, stream_id=int(stream_id))
