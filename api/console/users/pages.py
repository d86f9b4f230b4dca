# SPDX-License-Identifier: AGPL-3.0-or-later
"""Users: the list with its search, a new one, and what an administrator changes of one.

A search is posted, as names of people stand in no address. A new password is shown once, in the
answer itself, which nothing keeps.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console, ConsoleParts
from api.console.users.views import USERS_PATH, user_row
from api.deps.acting import Acting, ActingDep
from api.deps.request import Connection, Now
from api.pages.outside import provider_name
from api.pages.rendering import language_of
from central.domain.scope import Reach
from central.errors import InvalidUsernameError, UserExistsError
from central.identity.administration import UserAdministration
from central.identity.areas.service import AreaService
from central.identity.permissions import PEOPLES_ROLES, Role
from central.identity.second_factor.administration import FactorAdministration
from central.identity.types import NewPassword, UserOverview, UserState

PAGE_SIZE: Final = 50
NAME_LENGTH_MAX: Final = 200
AREAS_MAX: Final = 100
ID_MAX: Final = 2**63 - 1
SLUG_LENGTH_MAX: Final = 40

router = APIRouter(include_in_schema=False)

UserId = Annotated[int, Query(ge=1, le=ID_MAX)]
NameField = Annotated[str, Form(max_length=NAME_LENGTH_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages ask: users, and the units and areas to choose from."""

    people: UserAdministration
    factors: FactorAdministration
    areas: AreaService
    acting: Acting


async def desk_of(acting: ActingDep, connection: Connection) -> Desk:
    """The desk of whoever asks; each of its acts checks the permission."""
    return Desk(
        people=UserAdministration(connection, actor=acting.actor, user=acting.user),
        factors=FactorAdministration(connection, actor=acting.actor, user=acting.user),
        areas=AreaService(connection, actor=acting.actor, user=acting.user),
        acting=acting,
    )


DeskDep = Annotated[Desk, Depends(desk_of, scope="function")]


@router.get(USERS_PATH)
async def users_page(
    request: Request, *, console: Console, desk: DeskDep, after: UserId | None = None
) -> Response:
    """One page of users, by name."""
    return await _list(request, console, desk, after=after)


@router.post(f"{USERS_PATH}/search")
async def search_users(
    request: Request, *, console: Console, desk: DeskDep, wanted: NameField = ""
) -> Response:
    """Users whose name holds what was typed; the first page of them."""
    return await _list(request, console, desk, wanted=wanted.strip() or None)


@router.post(USERS_PATH)
async def add_user(
    request: Request,
    *,
    console: Console,
    desk: DeskDep,
    now: Now,
    username: NameField = "",
    display_name: NameField = "",
    role: Annotated[Role, Form()],
) -> Response:
    """Make a user and show the first password, this once."""
    name, shown = username.strip().lower(), display_name.strip()
    try:
        made = await desk.people.add(username=name, display_name=shown or name, role=role, now=now)
    except InvalidUsernameError:
        return await _list(request, console, desk, problem="invalid", form=(name, shown, role))
    except UserExistsError:
        return await _list(request, console, desk, problem="taken", form=(name, shown, role))
    return _password(request, console, desk, made)


@router.get(f"{USERS_PATH}/{{user_id:int}}")
async def user_page(request: Request, user_id: int, *, console: Console, desk: DeskDep) -> Response:
    """One user with the forms that change what the user may."""
    found = await desk.people.user(min(user_id, ID_MAX))
    return await show_user(request, console, desk, found)


@router.post(f"{USERS_PATH}/{{user_id:int}}/role")
async def set_role(
    user_id: int, *, desk: DeskDep, now: Now, role: Annotated[Role, Form()]
) -> Response:
    """Give a user another role."""
    found = await desk.people.user(min(user_id, ID_MAX))
    await desk.people.set_role(found.username, role, now=now)
    return RedirectResponse(f"{USERS_PATH}/{found.id}", status_code=303)


@router.post(f"{USERS_PATH}/{{user_id:int}}/place")
async def place(
    user_id: int,
    *,
    desk: DeskDep,
    now: Now,
    reach: Annotated[Reach, Form()],
    unit: Annotated[str, Form(max_length=SLUG_LENGTH_MAX)] = "",
    area: Annotated[list[str] | None, Form(max_length=AREAS_MAX)] = None,
) -> Response:
    """Say which unit a user belongs to and which sites the user sees."""
    found = await desk.people.user(min(user_id, ID_MAX))
    await desk.people.place(
        found.username, unit_id=unit or None, reach=reach, area_ids=set(area or ()), now=now
    )
    return RedirectResponse(f"{USERS_PATH}/{found.id}", status_code=303)


@router.post(f"{USERS_PATH}/{{user_id:int}}/switch")
async def switch(
    user_id: int, *, desk: DeskDep, now: Now, state: Annotated[UserState, Form()]
) -> Response:
    """Shut a user out, or let the user in again."""
    found = await desk.people.user(min(user_id, ID_MAX))
    await desk.people.switch(found.username, state, now=now)
    return RedirectResponse(f"{USERS_PATH}/{found.id}", status_code=303)


@router.post(f"{USERS_PATH}/{{user_id:int}}/reset-password")
async def reset_password(
    request: Request, user_id: int, *, console: Console, desk: DeskDep, now: Now
) -> Response:
    """Give a user a new first password and show it, this once."""
    found = await desk.people.user(min(user_id, ID_MAX))
    made = await desk.people.reset_password(found.username, now=now)
    return _password(request, console, desk, made)


async def show_user(
    request: Request,
    console: ConsoleParts,
    desk: Desk,
    found: UserOverview,
    *,
    proof: str = "",
    problem: bool = False,
) -> Response:
    """One user, perhaps with the form of a lost factor that has to be filled in again."""
    speech = console.renderer.speeches[language_of(request)]
    return console.renderer.page(
        request,
        "users/user.html",
        user=desk.acting.user,
        status=422 if problem else 200,
        person=user_row(found, speech),
        is_own=found.username == desk.acting.user.username,
        peoples_roles=[each.value for each in PEOPLES_ROLES],
        units=await desk.areas.units(),
        areas=await desk.areas.areas(),
        factors=await desk.factors.overview(found.id),
        outside=provider_name(request),
        proof=proof,
        problem=problem,
    )


async def _list(
    request: Request,
    console: ConsoleParts,
    desk: Desk,
    *,
    wanted: str | None = None,
    after: int | None = None,
    problem: str | None = None,
    form: tuple[str, str, str] = ("", "", ""),
) -> Response:
    """The list, perhaps with the form of a new user that has to be filled in again."""
    speech = console.renderer.speeches[language_of(request)]
    page = await desk.people.page(wanted=wanted, after_id=after, size=PAGE_SIZE)
    has_next = page.next_after is not None and wanted is None
    return console.renderer.page(
        request,
        "users/list.html",
        user=desk.acting.user,
        status=422 if problem else 200,
        rows=[user_row(each, speech) for each in page.users],
        wanted=wanted or "",
        is_cut=page.next_after is not None and wanted is not None,
        first_url=USERS_PATH if after is not None else None,
        next_url=f"{USERS_PATH}?after={page.next_after}" if has_next else None,
        problem=problem,
        form=form,
        peoples_roles=[each.value for each in PEOPLES_ROLES],
    )


def _password(request: Request, console: ConsoleParts, desk: Desk, made: NewPassword) -> Response:
    """A password that was made, shown once."""
    return console.renderer.page(
        request, "users/password.html", user=desk.acting.user, made=made, users_path=USERS_PATH
    )
