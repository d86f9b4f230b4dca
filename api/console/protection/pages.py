# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unusual looks, who looked at a plate, the rules, relatives' plates, and what is kept how long.

A plate is never in an address: whoever asks who looked at one gets the answer to the form itself.
"""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console
from api.console.protection.requests import router as requests_router
from api.console.protection.views import (
    LOOKS_PATH,
    RELATIVES_PATH,
    RETENTION_PATH,
    ROOT_PATH,
    RULES_PATH,
    finding_view,
    look_view,
    relative_view,
    retention_view,
)
from api.deps.acting import ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now, ProcessDep
from api.pages.rendering import language_of
from central.errors import InvalidPlatePatternError
from central.identity.permissions import Permission
from central.protection.errors import RelativesNotSetUpError
from central.protection.retention import RETENTIONS
from central.protection.service import ProtectionService
from central.protection.types import (
    PARAMETERS,
    REASON_LENGTH_MAX,
    FindingState,
    PastLook,
    Rule,
    RuleName,
)
from central.settings import read_secret

router = APIRouter(include_in_schema=False)
router.include_router(requests_router)

PAGE_SIZE: Final = 50
ID_MAX: Final = 2**63 - 1
PLATE_LENGTH_MAX: Final = 60
NUMBER_MAX: Final = 1_000_000

OptionalId = Annotated[int | None, Query(ge=1, le=ID_MAX)]
Number = Annotated[int | None, Form(ge=0, le=NUMBER_MAX)]


@router.get(ROOT_PATH)
async def findings_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    state: Annotated[FindingState | None, Query()] = None,
    before: OptionalId = None,
) -> Response:
    """Unusual looks, newest first."""
    speech = console.renderer.speeches[language_of(request)]
    found = await ProtectionService(connection).findings(
        state, user=acting.user, before_id=before, size=PAGE_SIZE + 1
    )
    shown = found[:PAGE_SIZE]
    older = f"{ROOT_PATH}?before={shown[-1].id}" if len(found) > PAGE_SIZE else None
    return console.renderer.page(
        request,
        "protection/findings.html",
        user=acting.user,
        findings=tuple(finding_view(each, speech) for each in shown),
        state=state,
        older_url=f"{older}&state={state}" if older and state else older,
        reason_max=REASON_LENGTH_MAX,
    )


@router.post(f"{ROOT_PATH}/findings/{{finding_id}}/decide")
async def decide(
    finding_id: int,
    state: Annotated[FindingState, Form()],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    reason: Annotated[str, Form(max_length=REASON_LENGTH_MAX)] = "",
) -> Response:
    """Say what a finding is."""
    await ProtectionService(connection).decide(
        finding_id, state, reason=reason, user=acting.user, actor=acting.actor, now=now
    )
    return RedirectResponse(ROOT_PATH, status_code=303)


@router.get(LOOKS_PATH)
async def looks_form(request: Request, *, console: Console, acting: ActingDep) -> Response:
    """The question who looked at a plate."""
    acting.user.require(Permission.PROTECT_DATA)
    return console.renderer.page(
        request,
        "protection/looks.html",
        user=acting.user,
        reason=LookForm(),
        plate="",
        problem=None,
        has_asked=False,
        looks=(),
        older=None,
    )


@router.post(LOOKS_PATH)
async def looks(
    request: Request,
    reason: LookFormDep,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
    before: Annotated[int | None, Form(ge=1, le=ID_MAX)] = None,
) -> Response:
    """Who looked at a plate."""
    acting.user.require(Permission.PROTECT_DATA)
    speech = console.renderer.speeches[language_of(request)]
    problem, found = None, tuple[PastLook, ...]()
    look = reason.look(acting.actor)
    if look is None:
        problem = "reason"
    else:
        try:
            found = await ProtectionService(connection).looks_at(
                plate,
                user=acting.user,
                look=look,
                before_id=before,
                size=PAGE_SIZE + 1,
                now=now,
            )
        except InvalidPlatePatternError:
            problem = "plate"
    shown = found[:PAGE_SIZE]
    return console.renderer.page(
        request,
        "protection/looks.html",
        user=acting.user,
        status=422 if problem else 200,
        reason=reason,
        plate=plate,
        problem=problem,
        has_asked=problem is None,
        looks=tuple(look_view(each, speech) for each in shown),
        older=shown[-1].id if len(found) > PAGE_SIZE else None,
    )


@router.get(RULES_PATH)
async def rules_page(
    request: Request, *, console: Console, acting: ActingDep, connection: Connection
) -> Response:
    """The rules with their numbers."""
    rules = await ProtectionService(connection).rules(user=acting.user)
    return console.renderer.page(
        request,
        "protection/rules.html",
        user=acting.user,
        rules=[rules[name] for name in RuleName if name in rules],
        bounds=PARAMETERS,
    )


@router.post(f"{RULES_PATH}/{{name}}")
async def set_rule(
    name: RuleName,
    version: Annotated[int, Form(ge=1, le=ID_MAX)],
    *,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    enabled: Annotated[str, Form(max_length=3)] = "",
    times: Number = None,
    at_least: Number = None,
    from_hour: Number = None,
    until_hour: Number = None,
    days: Number = None,
) -> Response:
    """Change a rule."""
    given = {
        "times": times,
        "at_least": at_least,
        "from_hour": from_hour,
        "until_hour": until_hour,
        "days": days,
    }
    rule = Rule(
        name=name,
        is_enabled=enabled == "yes",
        parameters={key: value for key, value in given.items() if value is not None},
        version=version,
        changed_by=None,
        changed_at=None,
    )
    await ProtectionService(connection).set_rule(
        rule, user=acting.user, actor=acting.actor, now=now
    )
    return RedirectResponse(RULES_PATH, status_code=303)


@router.get(RELATIVES_PATH)
async def relatives_page(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
) -> Response:
    """Officials with listed relatives; the plates can't be shown."""
    speech = console.renderer.speeches[language_of(request)]
    listed = await ProtectionService(connection).relatives(user=acting.user)
    return console.renderer.page(
        request,
        "protection/relatives.html",
        user=acting.user,
        relatives=tuple(relative_view(each, speech) for each in listed),
        is_set_up=process.settings.relatives_key_file is not None,
    )


@router.post(RELATIVES_PATH)
async def add_relative(
    *,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
    now: Now,
    username: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
) -> Response:
    """List a relative's plate."""
    acting.user.require(Permission.PROTECT_DATA)
    file = process.settings.relatives_key_file
    if file is None:
        raise RelativesNotSetUpError
    key = (await asyncio.to_thread(read_secret, file)).encode()
    await ProtectionService(connection).add_relative(
        username, plate, key=key, user=acting.user, actor=acting.actor, now=now
    )
    return RedirectResponse(RELATIVES_PATH, status_code=303)


@router.post(f"{RELATIVES_PATH}/{{relative_id}}/remove")
async def remove_relative(
    relative_id: int, *, acting: ActingDep, connection: Connection, now: Now
) -> Response:
    """Take a relative off the list."""
    await ProtectionService(connection).remove_relative(
        relative_id, user=acting.user, actor=acting.actor, now=now
    )
    return RedirectResponse(RELATIVES_PATH, status_code=303)


@router.get(RETENTION_PATH)
async def retention_page(request: Request, *, console: Console, acting: ActingDep) -> Response:
    """What is kept how long, and what drops it."""
    acting.user.require(Permission.PROTECT_DATA)
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "protection/retention.html",
        user=acting.user,
        retentions=tuple(retention_view(each, speech) for each in RETENTIONS),
    )
