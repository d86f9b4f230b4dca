# SPDX-License-Identifier: AGPL-3.0-or-later
"""``/docs``: what programs may ask ``/v1``, drawn here from the OpenAPI document.

It shows no data of anybody, so it needs no session. It works without scripts and can be printed.
"""

import math
from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.deps.request import Now
from api.errors import TooManyRequestsError
from api.pages.rendering import language_of
from api.public.parts import Public
from api.public.reference.document import groups_of, problems_of

DOCS_PATH: Final = "/docs"

router = APIRouter(include_in_schema=False)


async def within_rate(request: Request, public: Public, now: Now) -> None:
    """Let nobody have the long page drawn all the time.

    Raises:
        TooManyRequestsError: This address asked too often.
    """
    address = request.client.host if request.client is not None else ""
    wait = public.reference_rates.wait_after(address, now=now)
    if wait is not None:
        raise TooManyRequestsError(wait_s=math.ceil(wait.total_seconds()))


@router.get(DOCS_PATH, dependencies=[Depends(within_rate)])
async def reference_page(request: Request, public: Public) -> Response:
    """Every address with its parameters, bodies, answers, errors and an example."""
    text = public.renderer.speeches[language_of(request)].text
    document = request.app.openapi()
    return public.renderer.page(
        request,
        "reference.html",
        groups=groups_of(document, text),
        problems=problems_of(document, text),
        version=document["info"]["version"],
    )
