# SPDX-License-Identifier: AGPL-3.0-or-later
"""The own security keys: add one, call it something else, take it away.

Adding has two pages: the name and the password first, then the question to the key, which a
script of ours hands to the browser.
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from api.console.account.factor_page import PROBLEM_OF_PASSWORD, FactorDesk, FactorDeskDep
from api.console.account.views import KEYS_PATH, SECOND_FACTOR_PATH
from api.deps.acting import OriginDep
from api.deps.request import Now
from api.errors import NotHereError
from central.identity.security_keys.ceremonies import ANSWER_LENGTH_MAX
from central.identity.security_keys.types import (
    KeyAdded,
    KeyChanged,
    KeyFault,
    KeyQuestion,
    KeyRefusal,
    KeyRefused,
)

FIELD_LENGTH_MAX: Final = 1024

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Form(max_length=FIELD_LENGTH_MAX)]


@router.post(f"{KEYS_PATH}/begin")
async def begin_key(
    *,
    desk: FactorDeskDep,
    origin: OriginDep,
    now: Now,
    name: Typed = "",
    password: Typed = "",
) -> Response:
    """Show the page that asks the key."""
    if not password:  # no guess, so nothing is counted
        return await desk.page(problem=PROBLEM_OF_PASSWORD, status=422, key_name=name)
    outcome = await desk.keys.begin(name, password, origin=origin, now=now)
    if not isinstance(outcome, KeyQuestion):
        return await desk.refused(outcome, key_name=name)
    return desk.console.renderer.page(
        desk.request,
        "account/security_key.html",
        user=desk.shown_user,
        name=name,
        options=outcome.options,
        back_path=SECOND_FACTOR_PATH,
    )


@router.post(KEYS_PATH)
async def add_key(
    *,
    desk: FactorDeskDep,
    now: Now,
    name: Typed = "",
    answer: Annotated[str, Form(max_length=ANSWER_LENGTH_MAX)] = "",
) -> Response:
    """Keep the key that answered; whoever had no recovery codes sees some, this once."""
    outcome = await desk.keys.add(name, answer, now=now)
    if not isinstance(outcome, KeyAdded):
        return await desk.refused(outcome, key_name=name)
    if outcome.codes is not None:
        return desk.recovery_codes(outcome.codes)
    return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)


@router.post(f"{KEYS_PATH}/{{key_id}}/rename")
async def rename_key(key_id: UUID, *, desk: FactorDeskDep, now: Now, name: Typed = "") -> Response:
    """Call a key something else; that of somebody else is not there."""
    return await _changed(desk, await desk.keys.rename(key_id, name, now=now))


@router.post(f"{KEYS_PATH}/{{key_id}}/remove")
async def remove_key(
    key_id: UUID, *, desk: FactorDeskDep, origin: OriginDep, now: Now, password: Typed = ""
) -> Response:
    """Take a key away; that of somebody else is not there."""
    if not password:  # no guess, so nothing is counted
        return await desk.page(problem=PROBLEM_OF_PASSWORD, status=422)
    return await _changed(desk, await desk.keys.remove(key_id, password, origin=origin, now=now))


async def _changed(desk: FactorDesk, outcome: KeyChanged | KeyRefusal) -> Response:
    """Back to the page, or the page with what is wrong.

    Raises:
        NotHereError: The user has no such key.
    """
    if isinstance(outcome, KeyChanged):
        return RedirectResponse(SECOND_FACTOR_PATH, status_code=303)
    if outcome == KeyRefused(fault=KeyFault.NOT_THERE):
        raise NotHereError
    return await desk.refused(outcome)
