# SPDX-License-Identifier: AGPL-3.0-or-later
"""Linking the own account to one at the provider, and somebody else's by its subject."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.account.pages import Own, PasswordField
from api.console.account.views import ACCOUNT_PATH
from api.console.outside.pages import ProviderDep, fault_page, remember_departure, told
from api.console.parts import Console, ConsoleParts
from api.console.users.pages import ID_MAX, Desk, DeskDep
from api.console.users.views import USERS_PATH
from api.deps.acting import ActingDep, OriginDep
from api.deps.request import Connection, Now, SignedIn
from api.pages.outside import LINK_PATH, UNLINK_PATH, provider_name
from api.pages.rendering import language_of
from central.identity.outside.errors import OutsideRefusedError, OutsideTakenError
from central.identity.outside.linking import OutsideLinks
from central.identity.outside.provider import OutsideProvider
from central.identity.outside.service import OutsideLogins
from central.identity.outside.tokens import SUBJECT_LENGTH_MAX
from central.identity.types import Account, LoginDelayed, User

router = APIRouter(include_in_schema=False)

SUBJECT_FIELD_MAX: Final = 1000
SubjectField = Annotated[str, Form(max_length=SUBJECT_FIELD_MAX)]


@router.get(LINK_PATH)
async def link_page(
    request: Request,
    *,
    console: Console,
    provider: ProviderDep,
    user: SignedIn,
    _own: Own,
    acting: ActingDep,
    connection: Connection,
) -> Response:
    """Whether the own account is linked, and the form that links it."""
    links = OutsideLinks(connection, actor=acting.actor, user=user)
    return await _own_page(request, console, user, links, provider)


@router.post(LINK_PATH)
async def link(
    request: Request,
    *,
    console: Console,
    provider: ProviderDep,
    user: SignedIn,
    own: Own,
    acting: ActingDep,
    connection: Connection,
    origin: OriginDep,
    now: Now,
    password: PasswordField = "",
) -> Response:
    """Check the password again, and show the way to the provider.

    A link and no redirect: our forms may lead to no other host.
    """
    account = await own.account_proven_by(password, origin=origin, now=now)
    if not isinstance(account, Account):
        links = OutsideLinks(connection, actor=acting.actor, user=user)
        problem = "delayed" if isinstance(account, LoginDelayed) else "wrong_old"
        return await _own_page(request, console, user, links, provider, problem=problem)
    try:
        departure = await OutsideLogins(connection).begin(
            next_path=LINK_PATH, linking_user_id=user.id, now=now
        )
        url = await provider.departure_url(departure.login, now=now)
    except OutsideRefusedError as error:
        return fault_page(request, console, told(error))
    response = console.renderer.page(
        request,
        "outside/go.html",
        user=user,
        outside=provider_name(request),
        url=url,
        account_path=ACCOUNT_PATH,
    )
    remember_departure(request, response, departure)
    return response


@router.post(UNLINK_PATH)
async def unlink(
    *,
    _provider: ProviderDep,
    user: SignedIn,
    _own: Own,
    acting: ActingDep,
    connection: Connection,
    now: Now,
) -> Response:
    """Take the outside account away; sessions that it opened end."""
    await OutsideLinks(connection, actor=acting.actor, user=user).unlink_own(user, now=now)
    return RedirectResponse(LINK_PATH, status_code=303)


@router.get(f"{USERS_PATH}/{{user_id:int}}/outside")
async def user_page(
    request: Request,
    user_id: int,
    *,
    console: Console,
    provider: ProviderDep,
    desk: DeskDep,
    connection: Connection,
) -> Response:
    """Whether somebody's account is linked, and the form that links it."""
    links = OutsideLinks(connection, actor=desk.acting.actor, user=desk.acting.user)
    return await _user_page(request, console, links, provider, desk=desk, user_id=user_id)


@router.post(f"{USERS_PATH}/{{user_id:int}}/outside")
async def link_user(
    request: Request,
    user_id: int,
    *,
    console: Console,
    provider: ProviderDep,
    desk: DeskDep,
    connection: Connection,
    now: Now,
    subject: SubjectField = "",
) -> Response:
    """Link somebody's account to the subject that the provider knows the person by."""
    links = OutsideLinks(connection, actor=desk.acting.actor, user=desk.acting.user)
    found = await desk.people.user(min(user_id, ID_MAX))
    wanted = subject.strip()
    if not 0 < len(wanted) <= SUBJECT_LENGTH_MAX:
        return await _user_page(
            request,
            console,
            links,
            provider,
            desk=desk,
            user_id=user_id,
            problem="subject",
            typed=wanted,
        )
    try:
        await links.link(found.username, issuer=provider.issuer, subject=wanted, now=now)
    except OutsideTakenError:
        return await _user_page(
            request,
            console,
            links,
            provider,
            desk=desk,
            user_id=user_id,
            problem="taken",
            typed=wanted,
        )
    return RedirectResponse(f"{USERS_PATH}/{found.id}/outside", status_code=303)


@router.post(f"{USERS_PATH}/{{user_id:int}}/outside/remove")
async def unlink_user(
    user_id: int, *, _provider: ProviderDep, desk: DeskDep, connection: Connection, now: Now
) -> Response:
    """Take the outside account from somebody; sessions that it opened end."""
    found = await desk.people.user(min(user_id, ID_MAX))
    links = OutsideLinks(connection, actor=desk.acting.actor, user=desk.acting.user)
    await links.unlink(found.username, now=now)
    return RedirectResponse(f"{USERS_PATH}/{found.id}/outside", status_code=303)


async def _own_page(
    request: Request,
    console: ConsoleParts,
    user: User,
    links: OutsideLinks,
    provider: OutsideProvider,
    *,
    problem: str | None = None,
) -> Response:
    """The own link, perhaps with what is wrong."""
    speech = console.renderer.speeches[language_of(request)]
    found = await links.of(user.id, issuer=provider.issuer)
    status = {None: 200, "delayed": 429}.get(problem, 422)
    return console.renderer.page(
        request,
        "outside/own.html",
        user=user,
        status=status,
        outside=provider_name(request),
        linked_on=speech.local_date(found.linked_at) if found else None,
        problem=problem,
        account_path=ACCOUNT_PATH,
    )


async def _user_page(
    request: Request,
    console: ConsoleParts,
    links: OutsideLinks,
    provider: OutsideProvider,
    *,
    desk: Desk,
    user_id: int,
    problem: str | None = None,
    typed: str = "",
) -> Response:
    """Somebody's link, perhaps with what is wrong and what was typed."""
    speech = console.renderer.speeches[language_of(request)]
    person = await desk.people.user(min(user_id, ID_MAX))
    found = await links.of(person.id, issuer=provider.issuer)
    return console.renderer.page(
        request,
        "outside/user.html",
        user=desk.acting.user,
        status=422 if problem else 200,
        outside=provider_name(request),
        person=person,
        is_own=person.username == desk.acting.user.username,
        linked_on=speech.local_date(found.linked_at) if found else None,
        problem=problem,
        typed=typed,
    )
