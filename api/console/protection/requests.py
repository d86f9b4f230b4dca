# SPDX-License-Identifier: AGPL-3.0-or-later
"""Citizens' requests about their own data: the list, one of them, its export and its erasure."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console
from api.console.protection.views import REQUESTS_PATH, request_view
from api.deps.acting import ActingDep
from api.deps.request import Connection, Now, ProcessDep
from api.pages.rendering import language_of
from central.documents.values import Issuer
from central.domain.local_time import local_date
from central.protection.errors import DataRequestInvalidError
from central.protection.requests import DataRequestService
from central.protection.types import (
    APPLICANT_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    NewRequest,
    RequestKind,
    RequestState,
)

router = APIRouter(include_in_schema=False)

PAGE_SIZE: Final = 50
CODE: Final = r"^DL-[0-9]{4}-[0-9]{6}$"
PLATE_LENGTH_MAX: Final = 60

Code = Annotated[str, Path(pattern=CODE)]
Line = Annotated[str, Form(max_length=APPLICANT_LENGTH_MAX)]
Text = Annotated[str, Form(max_length=TEXT_LENGTH_MAX)]


@router.get(REQUESTS_PATH)
async def requests_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    before: Annotated[str | None, Query(pattern=CODE)] = None,
) -> Response:
    """Requests, the last one first, and the form for a new one."""
    return await _list(request, console, acting, connection, now, before=before)


@router.post(REQUESTS_PATH)
async def take_in(
    request: Request,
    kind: Annotated[RequestKind, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    applicant: Line = "",
    contact: Line = "",
    statement: Text = "",
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
) -> Response:
    """Take a request in; what is wrong comes back with the form."""
    new = NewRequest(
        kind=kind,
        applicant=applicant.strip(),
        contact=contact.strip(),
        statement=statement.strip(),
        plate=plate,
    )
    try:
        code = await DataRequestService(connection).take_in(
            new, user=acting.user, actor=acting.actor, now=now
        )
    except DataRequestInvalidError as error:
        return await _list(
            request, console, acting, connection, now, filled=new, problem=error.part
        )
    return RedirectResponse(f"{REQUESTS_PATH}/{code}", status_code=303)


@router.get(f"{REQUESTS_PATH}/{{request_code}}")
async def request_page(
    request: Request,
    request_code: Code,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """One request."""
    speech = console.renderer.speeches[language_of(request)]
    found = await DataRequestService(connection).request(
        request_code, user=acting.user, actor=acting.actor, now=now
    )
    return console.renderer.page(
        request,
        "protection/request.html",
        user=acting.user,
        asked=request_view(found, speech, today=local_date(now)),
        text_max=TEXT_LENGTH_MAX,
    )


@router.post(f"{REQUESTS_PATH}/{{request_code}}/advance")
async def advance(
    request_code: Code,
    state: Annotated[RequestState, Form()],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    answer: Text = "",
) -> Response:
    """Confirm the receipt, or end the request with an answer."""
    await DataRequestService(connection).advance(
        request_code, state, answer=answer, user=acting.user, actor=acting.actor, now=now
    )
    return RedirectResponse(f"{REQUESTS_PATH}/{request_code}", status_code=303)


@router.post(f"{REQUESTS_PATH}/{{request_code}}/export")
async def export(
    request_code: Code, *, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Everything known, as a file for the citizen."""
    made = await DataRequestService(connection).export(
        request_code, user=acting.user, actor=acting.actor, now=now
    )
    return Response(
        made.as_zip(),
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{request_code}.zip"',
            "Cache-Control": "private, no-store",
        },
    )


@router.post(f"{REQUESTS_PATH}/{{request_code}}/erase")
async def erase(
    request_code: Code, *, acting: ActingDep, connection: Connection, process: ProcessDep, now: Now
) -> Response:
    """Carry an erasure out; it can't be undone."""
    office = process.settings.office
    await DataRequestService(connection).erase(
        request_code,
        issuer=Issuer(
            authority=office.authority,
            office=office.name,
            place=office.place,
            address=office.address,
            phone=office.phone,
        ),
        user=acting.user,
        actor=acting.actor,
        now=now,
    )
    return RedirectResponse(f"{REQUESTS_PATH}/{request_code}", status_code=303)


@router.get(f"{REQUESTS_PATH}/{{request_code}}/certificate.pdf")
async def certificate(
    request_code: Code, *, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """The paper that says what was erased."""
    content = await DataRequestService(connection).certificate(
        request_code, user=acting.user, actor=acting.actor, now=now
    )
    return Response(
        content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{request_code}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


async def _list(
    request: Request,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    *,
    before: str | None = None,
    filled: NewRequest | None = None,
    problem: str | None = None,
) -> Response:
    """The list with the form, as it was filled in."""
    speech = console.renderer.speeches[language_of(request)]
    found = await DataRequestService(connection).requests(
        user=acting.user, before_code=before, size=PAGE_SIZE + 1
    )
    shown = found[:PAGE_SIZE]
    today = local_date(now)
    return console.renderer.page(
        request,
        "protection/requests.html",
        user=acting.user,
        status=422 if problem else 200,
        requests=tuple(request_view(each, speech, today=today) for each in shown),
        older_url=f"{REQUESTS_PATH}?before={shown[-1].code}" if len(found) > PAGE_SIZE else None,
        filled=filled
        or NewRequest(kind=RequestKind.ACCESS, applicant="", contact="", statement="", plate=""),
        problem=problem,
        text_max=TEXT_LENGTH_MAX,
    )
