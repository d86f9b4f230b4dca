# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of the audit log: newest first, by actor, act and subject; looking at it is in it."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.audit.views import (
    LIST_PATH,
    ROOTS_PATH,
    AuditQuery,
    chain_view,
    list_view,
    root_view,
)
from api.console.parts import Console
from api.deps.acting import ActingDep
from api.deps.request import Connection, Now
from api.errors import NotHereError
from api.pages.rendering import language_of
from central.audit.roots import file_of
from central.audit.service import ROOTS_PAGE_MAX
from central.audit.types import AuditFilter
from central.identity.oversight import OversightService

router = APIRouter(include_in_schema=False)

PAGE_SIZE: Final = 50
CODE: Final = r"^[a-z][a-z_]{2,59}$"
ID_MAX: Final = 2**63 - 1
SUBJECT_LENGTH_MAX: Final = 200
ACTOR_LENGTH_MAX: Final = 100

OptionalCode = Annotated[str, Query(pattern=rf"{CODE}|^$")]
OptionalId = Annotated[int | None, Query(ge=1, le=ID_MAX)]


@router.get(LIST_PATH)
async def audit_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    actor: Annotated[str, Query(max_length=ACTOR_LENGTH_MAX)] = "",
    action: OptionalCode = "",
    about: OptionalId = None,
    before: OptionalId = None,
    is_missing: Annotated[bool, Query(alias="missing")] = False,
) -> Response:
    """One page of the log."""
    speech = console.renderer.speeches[language_of(request)]
    oversight = OversightService(connection, user=acting.user, actor=acting.actor)
    subject = await oversight.subject_of(about) if about is not None else None
    if about is not None and subject is None:
        raise NotHereError
    query = AuditQuery(actor=actor.strip(), action=action, about=about, before=before)
    wanted = AuditFilter(
        actor=query.actor or None,
        action=query.action or None,
        subject_kind=subject[0] if subject else None,
        subject_id=subject[1] if subject else None,
    )
    chain = await oversight.chain_state()
    page = await oversight.entries(wanted, before_id=before, size=PAGE_SIZE, now=now)
    return console.renderer.page(
        request,
        "audit/list.html",
        user=acting.user,
        query=query,
        subject_kind=wanted.subject_kind,
        subject_id=wanted.subject_id,
        is_missing=is_missing,
        list=list_view(page, query, speech),
        chain=chain_view(chain, speech, now=now),
    )


@router.get(ROOTS_PATH)
async def roots_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    before: Annotated[date | None, Query()] = None,
) -> Response:
    """Where the log's chain stood at the end of each day."""
    speech = console.renderer.speeches[language_of(request)]
    oversight = OversightService(connection, user=acting.user, actor=acting.actor)
    found = await oversight.roots(before=before, size=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    return console.renderer.page(
        request,
        "audit/roots.html",
        user=acting.user,
        roots=tuple(root_view(root, speech) for root in shown),
        older_url=f"{ROOTS_PATH}?before={shown[-1].day}" if len(found) > PAGE_SIZE else None,
    )


@router.get(f"{ROOTS_PATH}/file")
async def roots_file(*, acting: ActingDep, connection: Connection) -> Response:
    """All of them as a file for keeping outside of the house, oldest first."""
    oversight = OversightService(connection, user=acting.user, actor=acting.actor)
    newest_first = await oversight.roots(before=None, size=ROOTS_PAGE_MAX)
    return Response(
        file_of(newest_first[::-1]),
        media_type="application/jsonl",
        headers={
            "Content-Disposition": 'attachment; filename="audit-roots.jsonl"',
            "Cache-Control": "private, no-store",
        },
    )


@router.post(f"{LIST_PATH}/find")
async def find_subject(
    *,
    acting: ActingDep,
    connection: Connection,
    actor: Annotated[str, Form(max_length=ACTOR_LENGTH_MAX)] = "",
    action: Annotated[str, Form(pattern=rf"{CODE}|^$")] = "",
    subject_kind: Annotated[str, Form(pattern=rf"{CODE}|^$")] = "",
    subject_id: Annotated[str, Form(max_length=SUBJECT_LENGTH_MAX)] = "",
) -> Response:
    """Go to the list that fits; what is looked for is named by an entry's number there."""
    query = AuditQuery(actor=actor.strip(), action=action)
    if not subject_id.strip() or not subject_kind:
        return RedirectResponse(query.url(), status_code=303)
    oversight = OversightService(connection, user=acting.user, actor=acting.actor)
    about = await oversight.newest_about(subject_kind=subject_kind, subject_id=subject_id.strip())
    if about is None:
        return RedirectResponse(f"{LIST_PATH}?missing=true", status_code=303)
    found = AuditQuery(actor=query.actor, action=query.action, about=about)
    return RedirectResponse(found.url(), status_code=303)
