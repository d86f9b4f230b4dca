# SPDX-License-Identifier: AGPL-3.0-or-later
"""``/docs``: what programs may ask ``/v1``, drawn here from the OpenAPI document.

It shows no data of anybody, so it needs no session. It works without scripts and can be printed.
"""

from typing import Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.deps.acting import OriginDep, client_of
from api.deps.request import Now, ProcessDep
from api.errors import TooManyRequestsError
from api.pages.rendering import language_of
from api.public.parts import READINGS, Public
from api.public.reference.document import groups_of, problems_of
from central.identity.rates.service import GuardedAction

DOCS_PATH: Final = "/docs"

router = APIRouter(include_in_schema=False)


async def within_rate(origin: OriginDep, process: ProcessDep, now: Now) -> None:
    """Let nobody have the long page drawn all the time.

    Raises:
        TooManyRequestsError: This address asked too often.
    """
    use = await process.rates.use_after(
        GuardedAction.READ_REFERENCE, client_of(origin), limit=READINGS, now=now
    )
    if use.is_over:
        raise TooManyRequestsError(wait_s=use.wait_s)


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
