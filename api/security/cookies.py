# SPDX-License-Identifier: AGPL-3.0-or-later
"""The session cookie."""

from datetime import datetime
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE: Final = "luuthong_session"
TOKEN_LENGTH_MAX: Final = 128


def session_token(request: Request) -> str | None:
    """Token in the request's cookie; ``None`` when there is none that could be ours."""
    token = request.cookies.get(SESSION_COOKIE)
    if not token or len(token) > TOKEN_LENGTH_MAX:
        return None
    return token


def set_session_cookie(
    request: Request, response: Response, *, token: str, expires_at: datetime, now: datetime
) -> None:
    """Hand a session to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int((expires_at - now).total_seconds()),
        path="/",
        secure=needs_secure_cookie(request),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(request: Request, response: Response) -> None:
    """Take the cookie back, and what the browser kept of evidence pictures."""
    response.delete_cookie(
        SESSION_COOKIE,
        path="/",
        secure=needs_secure_cookie(request),
        httponly=True,
        samesite="lax",
    )
    response.headers["Clear-Site-Data"] = '"cache"'


def needs_secure_cookie(request: Request) -> bool:
    """Whether a cookie may travel by TLS only: always, but for plain HTTP on this machine."""
    return request.url.scheme == "https" or not is_loopback(request)


def is_loopback(request: Request) -> bool:
    """Whether the caller is on this machine."""
    if request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
