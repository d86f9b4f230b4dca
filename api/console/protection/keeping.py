# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is kept how long, and the records of what was erased because its time was over."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.console.parts import Console
from api.console.protection.views import RETENTION_PATH, erasure_view, retention_view
from api.deps.acting import ActingDep
from api.deps.cursors import CURSOR_LENGTH, parse_place, place_text
from api.deps.request import Connection
from api.deps.statements import PDF
from api.pages.rendering import language_of
from central.identity.permissions import Permission
from central.protection.keeping.inventory import RETENTIONS
from central.protection.keeping.service import RecordDesk
from central.protection.keeping.types import RecordCursor

router = APIRouter(include_in_schema=False)

PAGE_SIZE: Final = 30

OptionalPlace = Annotated[str | None, Query(min_length=CURSOR_LENGTH, max_length=CURSOR_LENGTH)]


@router.get(RETENTION_PATH)
async def retention_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    before: OptionalPlace = None,
) -> Response:
    """What is kept how long, what drops it, and what was dropped, newest first."""
    acting.user.require(Permission.PROTECT_DATA)
    speech = console.renderer.speeches[language_of(request)]
    place = None
    if before is not None:
        made_at, record_id = parse_place(before)
        place = RecordCursor(made_at=made_at, id=record_id)
    page = await RecordDesk(connection, user=acting.user).page(before=place, size=PAGE_SIZE)
    older = place_text(page.next.made_at, page.next.id) if page.next is not None else None
    return console.renderer.page(
        request,
        "protection/retention.html",
        user=acting.user,
        retentions=tuple(retention_view(each, speech) for each in RETENTIONS),
        erasures=tuple(erasure_view(each, speech) for each in page.records),
        newest_url=RETENTION_PATH if place is not None else None,
        older_url=f"{RETENTION_PATH}?before={older}" if older is not None else None,
    )


@router.get(f"{RETENTION_PATH}/{{record_id}}/record.pdf")
async def erasure_record(record_id: UUID, *, acting: ActingDep, connection: Connection) -> Response:
    """The paper of an erasure."""
    content = await RecordDesk(connection, user=acting.user).paper(record_id)
    return Response(
        content,
        media_type=PDF,
        headers={
            "Content-Disposition": f'inline; filename="{record_id}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )
