# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every address of the application: not for other sites, no markup sent back, headers on all.

Routes and their fields come from the application, so that new ones are tried, too.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import httpx
import psycopg

from api.security.headers import HEADERS, NO_STORE
from api.security.origin import SAFE_METHODS
from central.identity.permissions import PERMISSIONS, Permission, Role
from tests.integration.api.forms import scripts_put_in
from tests.integration.api.test_bad_input import (
    ANY_ID,
    TRACES,
    _contents,
    _fields,
    _filled,
    _json_body,
)
from tests.integration.api.test_route_permissions import ASKED, plain
from tests.integration.api.test_session import routes_of
from tests.integration.api.world import Seen, World, drawn_jpeg, sha256_of

SEES_ALL: Final = next(role for role in Role if PERMISSIONS[role] >= frozenset(Permission))
FOREIGN: Final = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)
NASTY: Final = """'"><img src=x onerror=alert(1)>%' OR 1=1; DROP TABLE passage; --"""
STREAM: Final = "text/event-stream"
TYPE: Final = "content-type"
PIECE: Final = {"HX-Request": "true"}


def test_no_address_changes_anything_when_another_site_asks(own_world: World) -> None:
    routes = [each for each in sorted(set(routes_of(own_world.app))) if each[0] not in SAFE_METHODS]
    let_through = []
    with (
        own_world.signed_in_as(SEES_ALL) as client,
        psycopg.connect(own_world.owner_url, autocommit=True) as owner,
    ):
        before = _contents(owner)
        for (method, path), headers in product(routes, FOREIGN):
            address = _filled(path, ANY_ID)
            values = _carried(method, path)
            values["headers"] = {**values.get("headers", {}), **headers}
            answer = client.request(method, address, **values)
            if answer.status_code != 403 or "set-cookie" in answer.headers:
                let_through.append((method, path, headers, answer.status_code))
        after = _contents(owner)

    assert len(routes) > 50
    assert let_through == []
    assert after == before


def test_every_body_of_the_v1_interface_with_a_field_too_many_is_refused(own_world: World) -> None:
    taken = []
    with own_world.signed_in_as(SEES_ALL) as client:
        document = client.get("/v1/openapi.json").json()
        bodies = [
            (method.upper(), path)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if _json_body(document, operation) is not None
        ]
        for method, path in bodies:
            carried = _carried(method, path, {"is_admin": True})
            answer = client.request(method, _filled(path, ANY_ID), **carried)
            if answer.status_code != 422 or "is_admin" not in answer.text:
                taken.append((method, path, answer.status_code, answer.text[:200]))

    assert len(bodies) > 5
    assert taken == []


def test_no_filter_or_parameter_is_sent_back_as_markup_or_changes_a_row(own_world: World) -> None:
    passage = own_world.store(Seen())[0]
    faults, tried = [], 0
    with (
        own_world.signed_in_as(SEES_ALL) as client,
        psycopg.connect(own_world.owner_url, autocommit=True) as owner,
    ):
        before = _contents(owner)
        for method, path in _reading(own_world):
            address = _filled(path, str(passage.id))
            for name in sorted(_fields(own_world, method, plain(path))):
                values = {**_values(method, path), name: NASTY}
                status, html = _answer(client, method, address, values)
                tried += 1
                if status >= 500:
                    faults.append(f"{path}: {name}: {status}")
                faults += [f"{path}: {name}: {element}" for element in scripts_put_in(html)]
        after = _contents(owner)

    assert tried > 200
    assert faults == []
    assert {table for table in after if after[table] != before[table]} <= TRACES


def test_every_kind_of_answer_bears_every_header_and_is_kept_by_nobody(own_world: World) -> None:
    picture = drawn_jpeg(seed=3)
    passage = own_world.store(Seen())[0]
    lacking, kinds = [], set()
    with own_world.signed_in_as(SEES_ALL) as client, own_world.signed_in_as(Role.CLERK) as clerk:
        for asker, (method, path) in product((client, clerk), _reading(own_world)):
            address = _filled(path, str(passage.id)).replace("ab" * 32, sha256_of(picture))
            with asker.stream(method, address, params=_values(method, path)) as answer:
                kind = answer.headers.get(TYPE, "").split(";")[0]
                kinds.add((kind, answer.status_code))
                told = {name: answer.headers.get(name) for name, _ in HEADERS}
                if told != dict(HEADERS) or NO_STORE not in answer.headers["cache-control"]:
                    lacking.append((path, answer.status_code, dict(answer.headers)))

    assert lacking == []
    assert {
        ("text/html", 200),
        ("text/html", 403),
        ("text/html", 404),
        ("application/json", 200),
        ("application/problem+json", 403),
        ("application/problem+json", 404),
        (STREAM, 200),
    } <= kinds


def _reading(world: World) -> Iterator[tuple[str, str]]:
    """Every route that changes nothing."""
    yield from (each for each in sorted(set(routes_of(world.app))) if each[0] in SAFE_METHODS)


def _values(method: str, path: str) -> Mapping[str, Any]:
    """What a route is asked with elsewhere."""
    return ASKED.get((method, plain(path)), (None, {}))[1]


def _carried(method: str, path: str, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A sensible body, with fields besides."""
    values = {**_values(method, path), **(more or {})}
    if path.startswith("/v1/"):
        return {"json": values, "headers": {"If-Match": '"1"'}}
    return {"data": values}


def _answer(
    client: httpx.Client, method: str, address: str, values: Mapping[str, Any]
) -> tuple[int, str]:
    """Status and page, or the piece where the page only leads on; a stream has no end."""
    status, html = _asked(client, method, address, values, {})
    return _asked(client, method, address, values, PIECE) if status == 303 else (status, html)


def _asked(
    client: httpx.Client,
    method: str,
    address: str,
    values: Mapping[str, Any],
    headers: Mapping[str, str],
) -> tuple[int, str]:
    """Status and page; empty where the answer is none."""
    with client.stream(method, address, params=values, headers=headers) as answer:
        is_page = "text/html" in answer.headers.get(TYPE, "")
        return answer.status_code, answer.read().decode() if is_page else ""
