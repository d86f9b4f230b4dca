# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searching passages and looking at one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from api.deps.request import Passages, SignedIn
from api.v1.documented import problems
from api.v1.requests import PassageSearchBody
from api.v1.schemas import PassageBody, PassagePageBody

router = APIRouter(prefix="/v1/passages", tags=["passages"])


@router.post(
    "/search",
    responses=problems(
        "not-signed-in",
        "request-invalid",
        "filter-invalid",
        "plate-pattern-invalid",
        "cursor-invalid",
        "cross-origin-request",
        "body-too-large",
        "database-unavailable",
    ),
)
async def search_passages(
    body: Annotated[PassageSearchBody, Body()], user: SignedIn, passages: Passages
) -> PassagePageBody:
    """One page of passages, newest first; page on with ``next_cursor``."""
    page = await passages.search(body.as_filter(), body.as_page(), scope=user.scope)
    return PassagePageBody.of(page)


@router.get(
    "/{passage_id}",
    responses=problems(
        "not-signed-in", "passage-not-found", "request-invalid", "database-unavailable"
    ),
)
async def get_passage(passage_id: UUID, user: SignedIn, passages: Passages) -> PassageBody:
    """One passage with everything that the device told, and where its pictures are."""
    return PassageBody.of(await passages.get(passage_id, scope=user.scope))
