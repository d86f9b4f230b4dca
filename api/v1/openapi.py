# SPDX-License-Identifier: AGPL-3.0-or-later
"""The description of ``/v1`` for programs that want to read it."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse

from api.deps.request import SignedIn
from api.v1.examples import add_examples

router = APIRouter(include_in_schema=False)


class DescribedApi(FastAPI):
    """The application, whose document has an example of every body."""

    def openapi(self) -> dict[str, Any]:
        """OpenAPI 3.1 document of ``/v1``."""
        is_new = self.openapi_schema is None
        document = super().openapi()
        if is_new:
            add_examples(document)
        return document


@router.get("/v1/openapi.json")
async def openapi(request: Request, _user: SignedIn) -> JSONResponse:
    """OpenAPI 3.1 document of this version."""
    return JSONResponse(request.app.openapi())
