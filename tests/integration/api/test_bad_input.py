# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad input at every address: whatever routes and fields there are, new ones included."""

import re
import socket
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

import api
from api.security.headers import HEADERS
from central.identity.permissions import PERMISSIONS, Role
from tests.integration.api.test_route_permissions import ASKED, EVERYBODYS, VALUES, plain
from tests.integration.api.test_session import routes_of
from tests.integration.api.world import Seen, World

TEMPLATES: Final = Path(api.__file__).parent
FIELD: Final = re.compile(
    r"""<(?:input|select|textarea)\b[^>]*?\bname=["']([a-z_]+)["']""", re.DOTALL
)
ANY_ID: Final = "01930b1e-7c00-7000-8000-000000000001"
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
LEAVING: Final = ("/console/logout",)
"""Would end the session of the walk."""

NASTY: Final = (
    "%' OR '1'='1' UNION SELECT password_hash FROM app_user; DROP TABLE passage; --",
    "nul \x00, escape \x1b, $$ and \\' {{ 7 * 7 }}",
    "-9223372036854775809",
    "99999-99-99T99:99",
)
KEPT: Final = """
    SELECT (SELECT password_hash FROM app_user WHERE username = 'operator'),
           (SELECT count(*) FROM passage)
"""


def test_no_field_of_any_page_or_call_is_taken_for_sql_or_breaks_it(world: World) -> None:
    passage = world.store(Seen())[0]
    tried, broken = 0, []
    with psycopg.connect(world.owner_url, autocommit=True) as owner:
        before = owner.execute(KEPT).fetchone()
        for role, routes in _routes_by_role().items():
            with world.signed_in_as(role) as client:
                for method, path, plausible in routes:
                    address = _filled(path, str(passage.id))
                    for field, value in product(
                        sorted(_fields(world, method, path) | set(plausible)), NASTY
                    ):
                        status = _status(client, method, address, {**plausible, field: value})
                        tried += 1
                        if status >= 500:
                            broken.append((method, path, field, value, status))
        after = owner.execute(KEPT).fetchone()

    assert tried > 500
    assert broken == []
    assert after == before


def test_no_part_of_any_address_is_taken_for_sql_or_a_path(
    world: World, client: httpx.Client
) -> None:
    variables = re.compile(r"\{\w+(?::\w+)?\}")
    tried = {
        address: client.request(method, address).status_code
        for value in ("%27%20OR%201=1--", "..%2f..%2fetc%2fpasswd", "%00", "9" * 400, "%ff")
        for method, path in sorted(set(routes_of(world.app)))
        if (address := variables.sub(value, path)) != path
    }

    assert len(tried) > 20
    assert {address: status for address, status in tried.items() if status >= 500} == {}


def test_every_body_of_the_v1_interface_refuses_fields_that_it_does_not_know(
    client: httpx.Client,
) -> None:
    document = client.get("/v1/openapi.json").json()

    open_bodies = [
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if (schema := _json_body(document, operation)) is not None
        and schema.get("additionalProperties") is not False
    ]

    assert any(_json_body(document, each["post"]) for each in _with_post(document))
    assert open_bodies == []


def test_a_body_that_is_too_large_is_refused_at_every_address(world: World) -> None:
    routes = [each for each in sorted(set(routes_of(world.app))) if each[0] in BODY_METHODS]

    answers = {
        (method, path): _raw(
            world, f"{method} {_filled(path, ANY_ID)} HTTP/1.1", "Content-Length: 99999999999"
        )
        for method, path in routes
    }

    assert len(answers) > 20
    assert {route: said for route, said in answers.items() if b" 413 " not in said} == {}


@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: +5",),
        ("Transfer-Encoding: chunked, identity", "Content-Length: 5"),
    ],
)
def test_a_body_whose_end_is_in_doubt_is_refused(world: World, lines: tuple[str, ...]) -> None:
    said = _raw(world, "POST /v1/passages/search HTTP/1.1", *lines, body=b"0\r\n\r\nGET /x")

    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 411"))
    assert said.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("path", ["/", "/console/passages", "/v1/health", "/console/static/x.js"])
def test_a_request_is_never_sent_back_by_trace(world: World, path: str) -> None:
    answer = httpx.request("TRACE", world.api_url + path, headers={"X-Told": "secret-word"})

    assert answer.status_code in {404, 405}
    assert "secret-word" not in answer.text
    assert "secret-word" not in repr(answer.headers)


@pytest.mark.parametrize(
    "address",
    [
        "/console/static/",
        "/console/static/..%2f..%2fmain.py",
        "/console/static/%2e%2e/%2e%2e/settings.py",
        "/console/static/../templates/login.html",
        "/.git/config",
        "/api/main.py",
    ],
)
def test_no_folder_is_listed_and_no_file_beside_the_built_ones_is_served(
    world: World, address: str
) -> None:
    said = _raw(world, f"GET {address} HTTP/1.1")

    assert said.startswith(b"HTTP/1.1 404")
    assert b"import " not in said
    assert b"immutable" not in said


def test_built_files_have_their_kind_and_every_header(world: World) -> None:
    page = httpx.get(f"{world.api_url}/console/login").text
    files = sorted(set(re.findall(r"/console/static/[\w.-]+", page)))

    kinds = set()
    for name in files:
        answer = httpx.get(world.api_url + name)
        kinds.add(answer.headers["content-type"])
        assert {key: answer.headers[key] for key, _ in HEADERS} == dict(HEADERS)

    assert {"text/css; charset=utf-8", "image/svg+xml; charset=utf-8"} <= kinds


def test_nobody_chooses_the_number_that_a_request_has_in_the_log(world: World) -> None:
    wish = "00000000-chosen-by-the-caller"

    answer = httpx.get(f"{world.api_url}/v1/health", headers={"X-Request-ID": wish})

    assert answer.headers["x-request-id"] != wish


def _routes_by_role() -> dict[Role, list[tuple[str, str, Mapping[str, Any]]]]:
    """Every address with plausible values, by somebody who may ask it."""
    found: dict[Role, list[tuple[str, str, Mapping[str, Any]]]] = defaultdict(list)
    for (method, path), (permission, values) in sorted(ASKED.items()):
        role = next(each for each in Role if permission in PERMISSIONS[each])
        found[role].append((method, path, values))
    for method, path in sorted(EVERYBODYS):
        found[Role.OPERATOR].append((method, path, {}))
    return found


def _fields(world: World, method: str, path: str) -> set[str]:
    """Fields that a route declares, and those of the forms and filters of its part."""
    part = TEMPLATES / path.split("/")[1] / "templates" / f"{path}//".split("/")[2]
    names = {
        name
        for template in part.glob("*.html")
        for name in FIELD.findall(template.read_text("utf-8"))
    }
    pending: list[Any] = list(world.app.routes)
    while pending:
        route = pending.pop()
        pending.extend(getattr(getattr(route, "original_router", None), "routes", ()))
        if isinstance(route, APIRoute) and (plain(route.path), {method}) == (path, route.methods):
            names |= set(_declared(route.dependant))
    return names


def _declared(dependant: Dependant) -> Iterator[str]:
    """Names of fields that a route or what it depends on asks for."""
    for field in (*dependant.query_params, *dependant.body_params):
        yield field.alias
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _status(client: httpx.Client, method: str, address: str, fields: Mapping[str, Any]) -> int:
    """Status of an answer; its body may never end."""
    if method == "GET":
        request = client.build_request(method, address, params=fields)
    elif address.startswith("/v1"):
        request = client.build_request(method, address, json=fields)
    else:
        request = client.build_request(method, address, data=fields)
    answer = client.send(request, stream=True)
    answer.close()
    return answer.status_code


def _json_body(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """Schema of an operation's JSON body, if it has one."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    schema: dict[str, Any] = content["application/json"]["schema"]
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    return document["components"]["schemas"][reference] if reference else schema


def _with_post(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (each for each in document["paths"].values() if "post" in each)


def _filled(path: str, row_id: str) -> str:
    """An address whose variables are filled with something that fits."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: VALUES.get(name[1], row_id), path)


def _raw(world: World, first_line: str, *lines: str, body: bytes = b"") -> bytes:
    """What the server says to bytes that no client would send."""
    address = urlsplit(world.api_url)
    head = "\r\n".join((first_line, "Host: localhost", "Connection: close", *lines, "", ""))
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as link:
        link.sendall(head.encode() + body)
        said = bytearray()
        while more := link.recv(65_536):
            said += more
    return bytes(said)
