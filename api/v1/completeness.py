# SPDX-License-Identifier: AGPL-3.0-or-later
"""Captured = stored, for a day: every device with its numbers, and every gap with its reason."""

import datetime as dt
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator

from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from api.deps.statements import PDF, STATEMENT_MEDIA_TYPE, Revision, statement_response
from api.errors import CursorInvalidError
from api.v1.completeness_schemas import LedgerPageBody, StatementPageBody
from api.v1.documented import problems
from api.v1.road_schemas import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from api.v1.versions import TagsKept
from central.completeness.service import CompletenessService
from central.completeness.statement_rows import StatementCursor
from central.completeness.stating import StatementDesk
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

PathDay = Annotated[
    dt.date,
    AfterValidator(_in_range),
    Path(description="The day, in Vietnam.", examples=["2026-11-28"]),
]

router = APIRouter(prefix="/v1", tags=["roads"])

_PROBLEMS: Final = ("not-signed-in", "permission-denied", "request-invalid", "database-unavailable")


@router.get(
    "/completeness",
    response_model=LedgerPageBody,
    responses=problems(*_PROBLEMS) | {304: {"description": "As the tag in If-None-Match says"}},
)
async def get_day_completeness(
    response: Response,
    *,
    kept: TagsKept,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    day: Day,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(pattern=CURSOR_PATTERN, description="`next_cursor` of the page before."),
    ] = None,
) -> LedgerPageBody | Response:
    """One page of a day's ledger; the ETag changes when anything on the page does.

    Whoever sends it as If-None-Match is answered 304 while nothing has changed.
    """
    page = await CompletenessService(connection, user=acting.user).day(
        day, after=_place(cursor), size=page_size, now=now
    )
    body = LedgerPageBody.of(page)
    tag = f'"{hashlib.sha256(body.model_dump_json().encode()).hexdigest()}"'
    if tag in kept:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return body


@router.get("/completeness/statements", responses=problems(*_PROBLEMS, "cursor-invalid"))
async def list_statements(
    *,
    acting: ActingDep,
    connection: Connection,
    page_size: Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)] = PAGE_SIZE_DEFAULT,
    cursor: Annotated[
        str | None,
        Query(
            pattern=r"^2[01][0-9]{2}-[01][0-9]-[0-3][0-9]\.[1-9][0-9]{0,8}$",
            description="`next_cursor` of the page before.",
        ),
    ] = None,
) -> StatementPageBody:
    """One page of the daily statements, the newest day and revision first."""
    page = await StatementDesk(connection, user=acting.user).page(
        day=None, before=_statement_place(cursor), size=page_size
    )
    return StatementPageBody.of(page)


@router.get(
    "/completeness/statements/{day}",
    response_class=Response,
    responses=problems(*_PROBLEMS, "statement-not-found")
    | {200: {"content": {STATEMENT_MEDIA_TYPE: {}}, "description": "The signed file"}},
)
async def get_statement(
    day: PathDay, *, acting: ActingDep, connection: Connection, revision: Revision = None
) -> Response:
    """The signed file about a day, byte by byte; the newest revision when none is named."""
    kept, content = await StatementDesk(connection, user=acting.user).file(day, revision=revision)
    return statement_response(kept, content, media_type=STATEMENT_MEDIA_TYPE, suffix="json")


@router.get(
    "/completeness/statements/{day}/paper",
    response_class=Response,
    responses=problems(*_PROBLEMS, "statement-not-found")
    | {200: {"content": {PDF: {}}, "description": "The signed paper"}},
)
async def get_statement_paper(
    day: PathDay, *, acting: ActingDep, connection: Connection, revision: Revision = None
) -> Response:
    """The signed paper about a day; the newest revision when none is named."""
    kept, content = await StatementDesk(connection, user=acting.user).paper(day, revision=revision)
    return statement_response(kept, content, media_type=PDF, suffix="pdf")


def _statement_place(cursor: str | None) -> StatementCursor | None:
    """The place that a cursor names.

    Raises:
        CursorInvalidError: It names no day.
    """
    if cursor is None:
        return None
    day, _, revision = cursor.partition(".")
    try:
        return StatementCursor(day=dt.date.fromisoformat(day), revision=int(revision))
    except ValueError as error:
        raise CursorInvalidError from error


def _place(cursor: str | None) -> LedgerCursor | None:
    if cursor is None:
        return None
    device_id, _, stream_id = cursor.rpartition(".")
    return LedgerCursor(device_id=device_id, stream_id=int(stream_id))
