# SPDX-License-Identifier: AGPL-3.0-or-later
"""The description of ``/v1`` for programs that want to read it."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.deps.request import SignedIn

router = APIRouter(include_in_schema=False)


@router.get("/v1/openapi.json")
async def openapi(request: Request, _user: SignedIn) -> JSONResponse:
    """OpenAPI 3.1 document of this version."""
    return JSONResponse(request.app.openapi())
