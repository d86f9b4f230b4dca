# SPDX-License-Identifier: AGPL-3.0-or-later
"""Second factors of others: which roles must have one, and a reset for whoever lost it."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from api.console.parts import Console
from api.console.users.pages import ID_MAX, DeskDep, show_user
from api.console.users.views import RULES_PATH, USERS_PATH
from api.deps.request import Now
from central.identity.errors import IdentityProofMissingError
from central.identity.permissions import PEOPLES_ROLES, Role
from central.identity.second_factor.administration import ADVISED_ROLES, PROOF_LENGTH_MAX

ROLES_MAX: Final = 100
PROOF_FIELD_MAX: Final = 1000

router = APIRouter(include_in_schema=False)


@router.get(RULES_PATH)
async def rules_page(request: Request, *, console: Console, desk: DeskDep) -> Response:
    """Roles, each with whether it needs a second factor."""
    return console.renderer.page(
        request,
        "users/second_factors.html",
        user=desk.acting.user,
        chosen={role.value for role in await desk.factors.roles()},
        advised={role.value for role in ADVISED_ROLES},
        peoples_roles=[each.value for each in PEOPLES_ROLES],
        users_path=USERS_PATH,
    )


@router.post(RULES_PATH)
async def require_of(
    *,
    desk: DeskDep,
    now: Now,
    role: Annotated[list[Role] | None, Form(max_length=ROLES_MAX)] = None,
) -> Response:
    """Ask the chosen roles for a second factor, and no other."""
    await desk.factors.require_of(role or (), now=now)
    return RedirectResponse(RULES_PATH, status_code=303)


@router.post(f"{USERS_PATH}/{{user_id:int}}/second-factor/reset")
async def reset(
    request: Request,
    user_id: int,
    *,
    console: Console,
    desk: DeskDep,
    now: Now,
    proof: Annotated[str, Form(max_length=PROOF_FIELD_MAX)] = "",
) -> Response:
    """Forget a lost second factor; without a word on how the person was recognised, the form."""
    found = await desk.people.user(min(user_id, ID_MAX))
    try:
        await desk.factors.reset(found.username, proof=proof, now=now)
    except IdentityProofMissingError:
        kept = proof[:PROOF_LENGTH_MAX]
        return await show_user(request, console, desk, found, proof=kept, problem=True)
    return RedirectResponse(f"{USERS_PATH}/{found.id}", status_code=303)
