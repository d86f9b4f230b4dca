# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cookies: the session's, and how every one of ours is named and sent."""

from datetime import datetime
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION_COOKIE: Final = "luuthong_session"
HOST_PREFIX: Final = "__Host-"
"""Browsers keep such a cookie only from this very host, by TLS: no neighbour can plant one."""

TOKEN_LENGTH_MAX: Final = 128


def cookie(request: Request, name: str) -> str | None:
    """Value of one of our cookies by its plain name; ``None`` when it did not come."""
    return request.cookies.get(cookie_name(request, name))


def set_cookie(
    request: Request, response: Response, name: str, value: str, *, max_age_s: int
) -> None:
    """Hand a cookie to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=max_age_s,
        path="/",
        secure=needs_secure_cookie(request),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(request: Request, response: Response, name: str) -> None:
    """Take one of our cookies back."""
    response.delete_cookie(
        cookie_name(request, name),
        path="/",
        secure=needs_secure_cookie(request),
        httponly=True,
        samesite="lax",
    )


def cookie_name(request: Request, name: str) -> str:
    """The name that a cookie bears on the caller's link."""
    return f"{HOST_PREFIX}{name}" if needs_secure_cookie(request) else name


def session_token(request: Request) -> str | None:
    """Token in the request's cookie; ``None`` when there is none that could be ours."""
    token = cookie(request, SESSION_COOKIE)
    if not token or len(token) > TOKEN_LENGTH_MAX:
        return None
    return token


def set_session_cookie(
    request: Request, response: Response, *, token: str, expires_at: datetime, now: datetime
) -> None:
    """Hand a session to the browser."""
    age_s = int((expires_at - now).total_seconds())
    set_cookie(request, response, SESSION_COOKIE, token, max_age_s=age_s)


def clear_session_cookie(request: Request, response: Response) -> None:
    """Take the cookie back, and what the browser kept of our pages: machines are shared."""
    clear_cookie(request, response, SESSION_COOKIE)
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
