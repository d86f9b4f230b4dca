# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bounds every request body before anybody reads it."""

from collections.abc import Callable
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import BodyTooLargeError, LengthRequiredError, RequestError, problem_of

BODY_BYTES_MAX: Final = 65_536
"""Largest body of everything but an upload. Raising it costs memory per request."""

log = structlog.get_logger(__name__)

BytesMaxOf = Callable[[Scope], int]
"""Largest body that a request may have, in bytes."""


class BodyLimit:
    """ASGI middleware: a body needs an announced length, and one that is small enough.

    The server itself holds a body to its announced length.
    """

    def __init__(self, app: ASGIApp, *, bytes_max_of: BytesMaxOf) -> None:
        self._app = app
        self._bytes_max_of = bytes_max_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            refusal = _refusal(Headers(scope=scope), bytes_max=self._bytes_max_of(scope))
            if refusal is not None:
                request_id = scope.get("state", {}).get("request_id", "")
                problem = problem_of(refusal)
                log.info("request_refused", code=problem.code, status=problem.status)
                response = problem.as_response(request_id=request_id)
                response.headers["Connection"] = "close"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(headers: Headers, *, bytes_max: int) -> RequestError | None:
    """Why a body is refused, if it is."""
    if "transfer-encoding" in headers and "content-length" not in headers:
        return LengthRequiredError()
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        return LengthRequiredError()
    if int(length) > bytes_max:
        return BodyTooLargeError()
    return None
