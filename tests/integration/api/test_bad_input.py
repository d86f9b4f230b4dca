# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad input at every address: whatever routes and fields there are, new ones included."""

import logging
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
import structlog
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from psycopg import sql
from structlog.testing import capture_logs

import api
from api.security.headers import HEADERS
from central.contracts.passage import EvidenceKind
from central.identity.permissions import PERMISSIONS, Role
from tests.integration.api.test_route_permissions import ASKED, EVERYBODYS, VALUES, plain
from tests.integration.api.test_session import routes_of
from tests.integration.api.world import USERNAME, Seen, World, serving

TEMPLATES: Final = Path(api.__file__).parent
FIELD: Final = re.compile(
    r"""<(?:input|select|textarea)\b[^>]*?\bname=["']([a-z_]+)["']""", re.DOTALL
)
ANY_ID: Final = "01930b1e-7c00-7000-8000-000000000001"
BODY_METHODS: Final = frozenset({"POST", "PUT", "PATCH"})
LEAVING: Final = ("/console/logout",)
"""Would end the session of the walk."""

TRACES: Final = frozenset(
    {"audit_entry", "audit_seal", "subject_key", "app_session", "outside_login", "address_rate"}
)
"""What a look leaves behind, when a session was last used, who went to the provider, and how often
an address asked."""

FITTING: Final = {**VALUES, "user_id": "2147483000"}
"""What fits into variables of addresses; the user is nobody, whom nothing can happen to."""

NASTY: Final = (
    "%' OR '1'='1' UNION SELECT password_hash FROM app_user; DROP TABLE passage; --",
    "nul \x00, escape \x1b, $$ and \\' {{ 7 * 7 }}",
    "-9223372036854775809",
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


def test_no_other_origin_may_read_an_answer(client: httpx.Client) -> None:
    foreign = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answers = [
        client.request(method, path, headers=foreign)
        for method in ("GET", "OPTIONS")
        for path in ("/v1/health", "/v1/passages/search", "/console/passages", "/public/dossiers")
    ]

    told = {name for answer in answers for name in answer.headers}
    assert not {name for name in told if name.startswith("access-control-")}


def test_reading_a_page_changes_nothing_but_traces_of_the_look(world: World) -> None:
    passage = world.store(Seen())[0]
    with psycopg.connect(world.owner_url, autocommit=True) as owner:
        for role, routes in _routes_by_role().items():
            with world.signed_in_as(role) as client:
                before = _contents(owner)
                for method, path, plausible in routes:
                    if method == "GET":
                        _status(client, method, _filled(path, str(passage.id)), plausible)
                after = _contents(owner)
            changed = {table for table in after if after[table] != before[table]}
            assert changed - TRACES == set(), role


def test_every_text_says_its_encoding(world: World) -> None:
    kinds = set()
    for role, routes in _routes_by_role().items():
        with world.signed_in_as(role) as client:
            for method, path, plausible in routes:
                if method == "GET" and "stream" not in path:
                    answer = client.get(_filled(path, ANY_ID), params=plausible)
                    kinds.add(answer.headers.get("content-type", ""))

    assert "text/html; charset=utf-8" in kinds
    assert {kind for kind in kinds if kind.startswith("text/") and "charset=" not in kind} == set()


def test_a_statement_that_takes_too_long_is_ended(world: World, client: httpx.Client) -> None:
    passage = world.store(Seen(pictures=((EvidenceKind.SCENE, b"x"),)))[0]
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)
    held = "LOCK TABLE passage_evidence IN ACCESS EXCLUSIVE MODE"

    with (
        serving(other, database_statement_time="PT1S", database_search_time="PT0.1S") as address,
        psycopg.connect(world.owner_url) as owner,
        httpx.Client(base_url=address, cookies=client.cookies, timeout=60) as asking,
    ):
        owner.execute(held)
        one = asking.get(f"/v1/passages/{passage.id}")
        search = asking.post("/v1/passages/search", json={})
        page = asking.get("/console/passages?lang=en&vehicle_class=car")

    assert (one.status_code, one.json()["code"]) == (503, "database-unavailable")
    assert (search.status_code, search.json()["code"]) == (422, "search-too-wide")
    assert page.status_code == 422
    assert "This search takes too long" in page.text
    assert "No passage" not in page.text
    assert 'value="car" selected' in page.text  # what was chosen stays


@pytest.mark.parametrize("address", ["/redoc", "/openapi.json", "/docs/oauth2-redirect", "/debug"])
def test_pages_of_the_framework_are_switched_off(world: World, address: str) -> None:
    assert httpx.get(world.api_url + address).status_code == 404


def test_a_field_of_the_address_is_no_field_of_the_form(world: World) -> None:
    right = {"username": USERNAME, "password": world.password}
    wrong = {"username": USERNAME, "password": "wrong"}

    by_address = httpx.post(f"{world.api_url}/console/login", params=right, data={"next": ""})
    by_both = httpx.post(f"{world.api_url}/console/login", params=right, data=wrong)

    assert (by_address.status_code, by_both.status_code) == (422, 422)
    assert "set-cookie" not in {*by_address.headers, *by_both.headers}


def test_what_is_refused_is_logged_by_its_kind_alone(world: World) -> None:
    elsewhere = {"Origin": "https://evil.example"}

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))

    with capture_logs() as lines:
        httpx.post(f"{world.api_url}/console/logout?word=secret-word", headers=elsewhere)
        httpx.put(f"{world.api_url}/v1/evidence/{'ab' * 32}", content=b"secret-word")
        _raw(world, "POST /v1/session HTTP/1.1", "Content-Length: 99999999")

    structlog.configure(**before)
    refused = [line["code"] for line in lines if line["event"] == "request_refused"]
    assert refused == ["cross-origin-request", "device-unauthorised", "body-too-large"]
    assert "secret-word" not in repr(lines)


def test_fields_for_passwords_hide_them_and_let_managers_fill_them() -> None:
    fields = [
        field
        for template in TEMPLATES.glob("*/templates/**/*.html")
        for field in re.findall(r"<input\b[^>]*>", template.read_text("utf-8"))
        if re.search(r'name="\w*password\w*"', field)
    ]

    assert fields
    for field in fields:
        assert 'type="password"' in field
        assert re.search(r'autocomplete="(?:current|new)-password"', field)
        assert "onpaste" not in field


def _contents(owner: psycopg.Connection) -> dict[str, str]:
    """A digest of each table's rows."""
    names = owner.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    ).fetchall()
    digest = sql.SQL(
        "SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {} t"
    )
    return {
        name: str(owner.execute(digest.format(sql.Identifier(name))).fetchall())
        for (name,) in names
    }


def _routes_by_role() -> dict[Role, list[tuple[str, str, Mapping[str, Any]]]]:
    """Every address with plausible values, by somebody who may ask it."""
    found: dict[Role, list[tuple[str, str, Mapping[str, Any]]]] = defaultdict(list)
    for (method, path), (permission, values) in sorted(ASKED.items()):
        role = next(each for each in Role if permission in PERMISSIONS[each])
        found[role].append((method, path, values))
    for method, path in sorted(EVERYBODYS):
        found[Role.REVIEWER].append((method, path, {}))
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
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: FITTING.get(name[1], row_id), path)


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
