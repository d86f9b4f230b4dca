# SPDX-License-Identifier: AGPL-3.0-or-later
"""The way to the provider and back, and what a page says when it leads nowhere."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.errors import LOGIN_PATH
from api.console.parts import DEPARTURES, Console, ConsoleParts
from api.console.sign_in import NEXT_LENGTH_MAX, next_page
from api.deps.acting import OriginDep, actor_of, client_of
from api.deps.request import Now, Process, ProcessDep, session_user
from api.deps.transactions import transaction
from api.errors import NotHereError, NotSignedInError
from api.pages.outside import LEFT_PATH, OUTSIDE_PATH, provider_name
from api.pages.rendering import safe_next
from api.security.cookies import cookie, cookie_name, session_token, set_cookie, set_session_cookie
from central.identity.outside.errors import OutsideRefusedError, OutsideTakenError
from central.identity.outside.linking import OutsideLinks
from central.identity.outside.provider import OutsideProvider, ReturnAnswer
from central.identity.outside.service import AWAY_MAX, OutsideLogins
from central.identity.outside.types import (
    BegunLogin,
    Departure,
    OutsideFault,
    OutsidePerson,
)
from central.identity.rates.service import GuardedAction
from central.identity.service import IdentityService
from central.identity.types import LoggedIn, Origin

AWAY_COOKIE: Final = "luuthong_away"
ANSWER_LENGTH_MAX: Final = 4096
_STATUSES: Final = {
    OutsideFault.UNREACHABLE: 503,
    OutsideFault.TOO_OFTEN: 429,
    OutsideFault.NOT_LINKED: 403,
    OutsideFault.SHUT_OUT: 403,
    OutsideFault.FACTOR_NEEDED: 403,
    OutsideFault.TAKEN: 409,
}
"""Every other fault is 422: this way back can't be used."""

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

AnswerText = Annotated[str | None, Query(max_length=ANSWER_LENGTH_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser brought back, with the state that ties it to a login."""

    answer: ReturnAnswer
    state: str


async def provider_of(process: ProcessDep) -> OutsideProvider:
    """The provider.

    Raises:
        NotHereError: The settings name none.
    """
    if process.provider is None:
        raise NotHereError
    return process.provider


ProviderDep = Annotated[OutsideProvider, Depends(provider_of)]


async def returned_of(
    code: AnswerText = None,
    state: AnswerText = None,
    error: AnswerText = None,
    iss: AnswerText = None,
) -> Returned:
    """What the provider's answer says."""
    answer = ReturnAnswer(code=code, error=error, issuer=iss)
    return Returned(answer=answer, state=state or "")


@router.get(OUTSIDE_PATH)
async def leave(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    provider: ProviderDep,
    origin: OriginDep,
    now: Now,
    next_path: Annotated[str, Query(alias="next", max_length=NEXT_LENGTH_MAX)] = "",
) -> Response:
    """Go to the provider."""
    use = await process.rates.use_after(
        GuardedAction.GO_TO_PROVIDER, client_of(origin), limit=DEPARTURES, now=now
    )
    if use.is_over:
        return fault_page(request, console, OutsideFault.TOO_OFTEN)
    try:
        async with transaction(process) as connection:
            departure = await OutsideLogins(connection).begin(
                next_path=safe_next(next_path), now=now
            )
        url = await provider.departure_url(departure.login, now=now)
    except OutsideRefusedError as error:
        return fault_page(request, console, told(error))
    response = RedirectResponse(url, status_code=303)
    remember_departure(request, response, departure)
    return response


@router.get(f"{OUTSIDE_PATH}/return")
async def come_back(
    request: Request,
    *,
    console: Console,
    process: ProcessDep,
    provider: ProviderDep,
    origin: OriginDep,
    now: Now,
    returned: Annotated[Returned, Depends(returned_of)],
) -> Response:
    """Come back from the provider: open a session, or link the account; or say why not."""
    begun = await _taken(request, process, returned.state, now=now)
    if begun is None:
        return _without_cookie(request, fault_page(request, console, OutsideFault.GONE))
    try:
        person = await provider.person(returned.answer, begun, now=now)
    except OutsideRefusedError as error:
        fault = told(error)
        async with transaction(process) as connection:
            await OutsideLogins(connection).refuse(fault, origin=origin, now=now)
        return _without_cookie(request, fault_page(request, console, fault))
    if begun.linking_user_id is not None:
        fault_or_none = await _linked(request, process, person, begun.linking_user_id, now=now)
        response = (
            RedirectResponse(begun.next_path, status_code=303)
            if fault_or_none is None
            else fault_page(request, console, fault_or_none)
        )
        return _without_cookie(request, response)
    outcome = await _signed_in(request, process, person, origin, now=now)
    if isinstance(outcome, OutsideFault):
        return _without_cookie(request, fault_page(request, console, outcome))
    target = next_page(outcome.user, begun.next_path)
    response = RedirectResponse(target, status_code=303)
    set_session_cookie(
        request, response, token=outcome.token, expires_at=outcome.expires_at, now=now
    )
    return _without_cookie(request, response)


@router.get(LEFT_PATH)
async def left(request: Request, *, console: Console, provider: ProviderDep, now: Now) -> Response:
    """Signed out here; at the provider perhaps not."""
    try:
        url = await provider.sign_out_url(now=now)
    except OutsideRefusedError as error:
        told(error)
        url = None
    return console.renderer.page(
        request, "outside/left.html", outside=provider_name(request), sign_out_url=url
    )


def remember_departure(request: Request, response: Response, departure: Departure) -> None:
    """Tie a login that goes to the provider to this browser."""
    age_s = int(AWAY_MAX.total_seconds())
    set_cookie(request, response, AWAY_COOKIE, departure.token, max_age_s=age_s)


def fault_page(request: Request, console: ConsoleParts, fault: OutsideFault) -> Response:
    """Why the way by the provider led nowhere, and where to go instead."""
    return console.renderer.page(
        request,
        "outside/fault.html",
        status=_STATUSES.get(fault, 422),
        fault=fault.value,
        outside=provider_name(request),
        login_path=LOGIN_PATH,
    )


def told(error: OutsideRefusedError) -> OutsideFault:
    """The fault, once the log knows of it: what people did themselves is no news."""
    if error.fault is not OutsideFault.CANCELLED:
        log.warning("outside_sign_in_failed", fault=error.fault.value, why=error.why)
    return error.fault


async def _taken(
    request: Request, process: Process, state: str, *, now: datetime
) -> BegunLogin | None:
    """The login that this browser began, used up by asking; ``None`` when it is another's."""
    token = cookie(request, AWAY_COOKIE)
    if not token:
        return None
    async with transaction(process) as connection:
        begun = await OutsideLogins(connection).take(token, now=now)
    if begun is None or not hmac.compare_digest(begun.state.encode(), state.encode()):
        return None
    return begun


async def _signed_in(
    request: Request, process: Process, person: OutsidePerson, origin: Origin, *, now: datetime
) -> LoggedIn | OutsideFault:
    """Open a session; a refusal is committed before it is told."""
    async with transaction(process) as connection:
        logins = OutsideLogins(connection, policy=process.session_policy)
        return await logins.sign_in(
            person, origin=origin, old_token=session_token(request), now=now
        )


async def _linked(
    request: Request, process: Process, person: OutsidePerson, user_id: int, *, now: datetime
) -> OutsideFault | None:
    """Link the account of the session that began it; what went wrong, if anything did."""
    try:
        async with transaction(process) as connection:
            identity = IdentityService(connection, policy=process.session_policy)
            user = await session_user(request, identity, now)
            if user.id != user_id:
                return OutsideFault.SIGNED_OUT
            links = OutsideLinks(connection, actor=actor_of(user, request), user=user)
            await links.link_own(user, person, now=now)
    except NotSignedInError:
        return OutsideFault.SIGNED_OUT
    except OutsideTakenError:
        return OutsideFault.TAKEN
    return None


def _without_cookie(request: Request, response: Response) -> Response:
    """An answer that takes the cookie of the login on its way back."""
    response.delete_cookie(cookie_name(request, AWAY_COOKIE), path="/", httponly=True)
    return response
