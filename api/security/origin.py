# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses state-changing requests that a page of another site sent with our cookie."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request

from api.errors import CrossOriginError

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TRUSTED_SITES: Final = frozenset({"same-origin", "none"})


async def require_same_origin(request: Request) -> None:
    """Let a request through unless a browser says that another origin made it.

    Browsers send ``Sec-Fetch-Site`` or at least ``Origin`` with every such request; a caller
    that sends neither is no browser and can't be tricked into using somebody's cookie.

    Raises:
        CrossOriginError: Another origin made the request.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in TRUSTED_SITES:
        raise CrossOriginError
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise CrossOriginError
