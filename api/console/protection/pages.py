# SPDX-License-Identifier: AGPL-3.0-or-later
"""Unusual looks, who looked at a plate, the rules, and relatives' plates.

A plate is never in an address: whoever asks who looked at one gets the answer to the form itself.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from psycopg import AsyncConnection
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.console.protection.keeping import router as keeping_router
from api.console.protection.requests import router as requests_router
from api.console.protection.views import (
    LOOKS_PATH,
    RELATIVES_PATH,
    ROOT_PATH,
    RULES_PATH,
    finding_view,
    look_view,
    relative_view,
)
from api.deps.acting import Acting, ActingDep, LookForm, LookFormDep
from api.deps.request import Connection, Now, ProcessDep
from api.pages.rendering import language_of
from central.errors import InvalidPlatePatternError
from central.identity.permissions import Permission
from central.protection.errors import (
    RelativeInvalidError,
    RelativesNotSetUpError,
    RuleInvalidError,
)
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
router.include_router(keeping_router)

PAGE_SIZE: Final = 50
ID_MAX: Final = 2**63 - 1
PLATE_LENGTH_MAX: Final = 60
NUMBER_LENGTH_MAX: Final = 7
TYPED_LENGTH_MAX: Final = 4000
"""Longest reason that comes back to be shortened."""

OptionalId = Annotated[int | None, Query(ge=1, le=ID_MAX)]
Number = Annotated[str, Form(max_length=NUMBER_LENGTH_MAX)]


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
    page = _Findings(request, console=console, acting=acting, connection=connection)
    return await page.answer(state=state, before=before)


@router.post(f"{ROOT_PATH}/findings/{{finding_id}}/decide")
async def decide(
    request: Request,
    finding_id: int,
    state: Annotated[FindingState, Form()],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    reason: Annotated[str, Form(max_length=TYPED_LENGTH_MAX)] = "",
) -> Response:
    """Say what a finding is; without a proper reason the list comes back with what was typed."""
    try:
        await ProtectionService(connection).decide(
            finding_id, state, reason=reason, user=acting.user, actor=acting.actor, now=now
        )
    except RuleInvalidError:
        page = _Findings(request, console=console, acting=acting, connection=connection)
        # Begins with the finding itself, on whatever page it stood.
        return await page.answer(before=min(finding_id, ID_MAX - 1) + 1, typed=(finding_id, reason))
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
    return await _rules(request, console, acting, connection)


@router.post(f"{RULES_PATH}/{{name}}")
async def set_rule(
    request: Request,
    name: RuleName,
    version: Annotated[int, Form(ge=1, le=ID_MAX)],
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    now: Now,
    enabled: Annotated[str, Form(max_length=3)] = "",
    times: Number = "",
    at_least: Number = "",
    from_hour: Number = "",
    until_hour: Number = "",
    days: Number = "",
) -> Response:
    """Change a rule; with a number out of bounds the rules come back with what was typed."""
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
        parameters={key: int(text) for key, text in given.items() if _is_number(text)},
        version=version,
        changed_by=None,
        changed_at=None,
    )
    try:
        await ProtectionService(connection).set_rule(
            rule, user=acting.user, actor=acting.actor, now=now
        )
    except RuleInvalidError as error:
        typed = _TypedRule(
            name=name, is_enabled=rule.is_enabled, texts=given, wrong=error.parameter
        )
        return await _rules(request, console, acting, connection, typed)
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
    page = _Relatives(request, console=console, acting=acting, connection=connection)
    return await page.answer(is_set_up=process.settings.relatives_key_file is not None)


@router.post(RELATIVES_PATH)
async def add_relative(
    request: Request,
    *,
    console: Console,
    acting: ActingDep,
    connection: Connection,
    process: ProcessDep,
    now: Now,
    username: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
    plate: Annotated[str, Form(max_length=PLATE_LENGTH_MAX)] = "",
) -> Response:
    """List a relative's plate; with a wrong part the form comes back with what was typed."""
    acting.user.require(Permission.PROTECT_DATA)
    file = process.settings.relatives_key_file
    if file is None:
        raise RelativesNotSetUpError
    key = (await asyncio.to_thread(read_secret, file)).encode()
    try:
        await ProtectionService(connection).add_relative(
            username, plate, key=key, user=acting.user, actor=acting.actor, now=now
        )
    except RelativeInvalidError as error:
        page = _Relatives(request, console=console, acting=acting, connection=connection)
        typed = {"username": username, "plate": plate}
        return await page.answer(is_set_up=True, typed=typed, wrong=error.part)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _TypedRule:
    """A rule as somebody typed it, with the part that is wrong."""

    name: RuleName
    is_enabled: bool
    texts: Mapping[str, str]
    wrong: str


class _Page:
    """A page of one request."""

    def __init__(
        self,
        request: Request,
        *,
        console: ConsoleParts,
        acting: Acting,
        connection: AsyncConnection,
    ) -> None:
        self._request = request
        self._console = console
        self._acting = acting
        self._service = ProtectionService(connection)
        self._speech = console.renderer.speeches[language_of(request)]


class _Findings(_Page):
    """The list of unusual looks."""

    async def answer(
        self,
        *,
        state: FindingState | None = None,
        before: int | None = None,
        typed: tuple[int, str] | None = None,
    ) -> Response:
        """Newest first; ``typed`` is a finding with the reason that was refused."""
        found = await self._service.findings(
            state, user=self._acting.user, before_id=before, size=PAGE_SIZE + 1
        )
        shown = found[:PAGE_SIZE]
        older = f"{ROOT_PATH}?before={shown[-1].id}" if len(found) > PAGE_SIZE else None
        return self._console.renderer.page(
            self._request,
            "protection/findings.html",
            user=self._acting.user,
            status=422 if typed else 200,
            findings=tuple(finding_view(each, self._speech) for each in shown),
            state=state,
            older_url=f"{older}&state={state}" if older and state else older,
            reason_max=REASON_LENGTH_MAX,
            typed_id=typed[0] if typed else None,
            typed_reason=typed[1] if typed else "",
        )


class _Relatives(_Page):
    """The list of relatives' plates."""

    async def answer(
        self, *, is_set_up: bool, typed: Mapping[str, str] | None = None, wrong: str = ""
    ) -> Response:
        """Officials with listed relatives; the plates can't be shown."""
        listed = await self._service.relatives(user=self._acting.user)
        return self._console.renderer.page(
            self._request,
            "protection/relatives.html",
            user=self._acting.user,
            status=422 if wrong else 200,
            relatives=tuple(relative_view(each, self._speech) for each in listed),
            is_set_up=is_set_up,
            typed=typed or {},
            wrong=wrong,
        )


async def _rules(
    request: Request,
    console: ConsoleParts,
    acting: Acting,
    connection: AsyncConnection,
    typed: _TypedRule | None = None,
) -> Response:
    """Every rule; one of them perhaps as somebody typed it."""
    rules = await ProtectionService(connection).rules(user=acting.user)
    return console.renderer.page(
        request,
        "protection/rules.html",
        user=acting.user,
        status=422 if typed else 200,
        rules=[rules[name] for name in RuleName if name in rules],
        bounds=PARAMETERS,
        typed=typed,
    )


def _is_number(text: str) -> bool:
    """Whether a text is a whole number that a rule may have."""
    return text.isascii() and text.isdigit()
