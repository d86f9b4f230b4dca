# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forwards people to HTTPS, and refuses programs that came without it.

A browser that was given an old link finds its way. A program that sends its key in the clear shall
notice: a redirect would hide that anybody on the way could read it.
"""

from typing import Final

import structlog
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import HttpsRequiredError, problem_of

PEOPLE_PREFIXES: Final = ("/console", "/public/")
ASKING_METHODS: Final = frozenset({"GET", "HEAD"})
METRICS_PATH: Final = "/metrics"
"""Asked for by a program on the same machine, and refused to every other by its own rule."""

log = structlog.get_logger(__name__)


class HttpsOnly:
    """ASGI middleware: what came by plain HTTP is forwarded or refused.

    Args:
        console_url: Where people are forwarded to; never what the request calls this host.
    """

    def __init__(self, app: ASGIApp, *, console_url: str) -> None:
        self._app = app
        self._console_url = console_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        is_plain = scope["type"] == "http" and scope["scheme"] == "http"
        if not is_plain or scope["path"] == METRICS_PATH:
            await self._app(scope, receive, send)
            return
        if scope["method"] in ASKING_METHODS and scope["path"].startswith(PEOPLE_PREFIXES):
            query = scope["query_string"].decode("latin-1")
            target = scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
            answer = RedirectResponse(f"{self._console_url}{target}", status_code=308)
            await answer(scope, receive, send)
            return
        problem = problem_of(HttpsRequiredError())
        log.info("request_refused", code=problem.code, status=problem.status)
        request_id = scope.get("state", {}).get("request_id", "")
        await problem.as_response(request_id=request_id)(scope, receive, send)
