# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing in and out, and that nothing is shown without it."""

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from tests.integration.api.world import SESSION_COOKIE, USERNAME, World

OPEN_ROUTES = {
    ("POST", "/v1/session"),
    ("DELETE", "/v1/session"),
    ("GET", "/v1/health"),
    ("GET", "/metrics"),  # for this machine only, by its own setting
    ("PUT", "/v1/evidence/{sha256}"),  # devices have a secret of their own
    ("PUT", "/v1/live-frames/{frame_id}"),  # the same
    ("POST", "/v1/enrolment"),  # an invitation is the device's login
    ("POST", "/v1/enrolment/renewal"),  # a secret and the key of a certificate are
    ("GET", "/console/login"),
    ("POST", "/console/login"),
    ("GET", "/console/login/outside"),
    ("GET", "/console/login/outside/left"),
    ("GET", "/console/login/outside/return"),
    ("POST", "/v1/session/second-factor"),  # a right password is the way here
    ("GET", "/console/login/code"),
    ("POST", "/console/login/code"),
    ("GET", "/console/login/key"),
    ("POST", "/console/login/key"),
    ("POST", "/console/logout"),
    ("POST", "/console/preferences"),
    ("GET", "/docs"),  # shows no data of anybody
    ("GET", "/public"),  # citizens have no account
    ("GET", "/public/"),
    ("GET", "/public/dossiers"),
    ("POST", "/public/dossiers"),
    ("GET", "/public/dossiers/{code}"),
}
VALUES = {
    "sha256": "ab" * 32,
    "code": "H15-261123-0001",
    "kind": "receipt",
    "entry_id": "1",
    "user_id": "1",
}
ANY_ID = "01930b1e-7c00-7000-8000-000000000001"


def test_the_right_password_opens_a_session(world: World) -> None:
    with world.signed_in() as client:
        answer = client.post("/v1/passages/search", json={})

    assert answer.status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    answer = httpx.post(
        f"{world.api_url}/v1/session", json={"username": USERNAME, "password": world.password}
    )

    cookie = SimpleCookie(answer.headers["set-cookie"])[SESSION_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "lax"
    assert cookie["path"] == "/"
    assert SESSION_COOKIE not in answer.text


@pytest.mark.parametrize("username", [USERNAME, "nobody-here"])
def test_a_wrong_login_is_refused_alike_for_known_and_unknown_users(
    world: World, username: str
) -> None:
    answer = httpx.post(
        f"{world.api_url}/v1/session", json={"username": username, "password": "wrong"}
    )

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "login-refused"
    assert "set-cookie" not in answer.headers


def test_failures_are_counted_until_the_login_must_wait(world: World) -> None:
    body = {"username": USERNAME, "password": "wrong"}

    answers = [httpx.post(f"{world.api_url}/v1/session", json=body) for _ in range(7)]

    assert answers[-1].status_code == 429
    assert answers[-1].json()["code"] == "login-delayed"
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_session_ends_when_one_signs_out(world: World) -> None:
    with world.signed_in() as client:
        token = client.cookies[SESSION_COOKIE]
        ended = client.delete("/v1/session")

    kept = httpx.post(
        f"{world.api_url}/v1/passages/search", json={}, cookies={SESSION_COOKIE: token}
    )
    assert ended.status_code == 204
    assert ended.headers["clear-site-data"] == '"cache"'
    assert kept.status_code == 401


def test_every_route_but_the_open_ones_needs_a_session(world: World) -> None:
    routes = sorted(set(routes_of(world.app)) - OPEN_ROUTES)

    answers = {
        (method, path): httpx.request(method, world.api_url + _filled(path))
        for method, path in routes
    }

    assert ("POST", "/v1/passages/search") in answers
    assert ("GET", "/console/passages") in answers
    for (method, path), answer in answers.items():
        if path.startswith("/v1"):
            assert answer.status_code == 401, (method, path)
            assert answer.json()["code"] == "not-signed-in"
        else:
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/console/login?next=")


def _filled(path: str) -> str:
    """The route's address with something in place of each of its variables."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: VALUES.get(name[1], ANY_ID), path)


def test_the_list_of_open_routes_holds_no_route_that_is_gone(world: World) -> None:
    assert set(routes_of(world.app)) >= OPEN_ROUTES


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
def test_a_change_asked_for_by_another_site_is_refused(
    world: World, headers: dict[str, str]
) -> None:
    with world.signed_in() as client:
        answer = client.post("/v1/passages/search", json={}, headers=headers)
        page = client.post("/console/logout", headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "cross-origin-request"
    assert page.status_code == 403
    assert "trang web khác" in page.text


def test_a_form_signs_in_and_leads_to_where_one_wanted_to_go(world: World) -> None:
    form = {"username": USERNAME, "password": world.password, "next": "/console/passages?place=x"}

    answer = httpx.post(f"{world.api_url}/console/login", data=form)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/passages?place=x"
    assert SESSION_COOKIE in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/console/\\evil", "/v1/health", ""]
)
def test_a_form_never_leads_to_another_site(world: World, target: str) -> None:
    form = {"username": USERNAME, "password": world.password, "next": target}

    answer = httpx.post(f"{world.api_url}/console/login", data=form)

    assert answer.headers["location"] == "/console"


def test_a_wrong_form_comes_back_with_the_name_and_the_reason(world: World) -> None:
    form = {"username": USERNAME, "password": "wrong"}

    answer = httpx.post(f"{world.api_url}/console/login", data=form)

    assert answer.status_code == 422
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in answer.text
    assert re.search(rf'name="username"\s+value="{USERNAME}"', answer.text)
    assert "wrong" not in answer.text


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route, those of included routers as well."""
    for route in api_routes_of(app):
        yield from ((method, route.path) for method in route.methods or ())


def api_routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Every route that answers, those of included routers as well."""
    pending: list[object] = list(app.routes)
    while pending:
        route = pending.pop()
        pending.extend(getattr(route, "routes", None) or [])
        inner = getattr(route, "original_router", None)
        if inner is not None:
            pending.extend(inner.routes)
        if isinstance(route, APIRoute):
            yield route
