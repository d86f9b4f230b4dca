# SPDX-License-Identifier: AGPL-3.0-or-later
"""What nobody expected: bugs, strange requests, stopping in the middle."""

import threading
import time
from typing import Any

import httpx
import schemathesis
import structlog
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from structlog.testing import CapturingLogger

from api.security.headers import CONTENT_SECURITY_POLICY
from tests.integration.api.world import Seen, World, serving

STOP_S_MAX = 10.0


async def _break() -> None:
    raise ZeroDivisionError("plate 20A12345 divided by zero")


def test_a_bug_is_a_plain_answer_with_all_headers_and_its_text_stays_here(world: World) -> None:
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)
    logger = CapturingLogger()
    before = structlog.get_config()
    structlog.configure(logger_factory=lambda *_args: logger, processors=[_as_text])

    try:
        with serving(other) as address:
            other.app.add_api_route("/v1/broken", _break)
            other.app.add_api_route("/console/broken", _break)
            problem = httpx.get(f"{address}/v1/broken")
            page = httpx.get(f"{address}/console/broken")
    finally:
        structlog.configure(**before)

    told = repr(logger.calls)
    assert (problem.status_code, page.status_code) == (500, 500)
    assert problem.json()["code"] == "internal-error"
    assert "Đã có lỗi xảy ra" in page.text
    for answer in (problem, page):
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-request-id"] in answer.text
        assert "20A12345" not in answer.text
    assert "request_failed" in told
    assert "ZeroDivisionError" in told
    assert "test_robustness.py" in told
    assert "20A12345" not in told


def test_the_api_stops_in_time_although_a_page_follows_the_live_list(
    world: World, client: httpx.Client
) -> None:
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)
    cookies = dict(client.cookies)
    ended = threading.Event()

    with serving(other) as address:
        follower = threading.Thread(target=_follow, args=(address, cookies, ended))
        follower.start()
        _wait_until_open(other)
        began = time.monotonic()

    assert time.monotonic() - began < STOP_S_MAX
    assert ended.wait(STOP_S_MAX)
    follower.join()


def test_metrics_are_for_this_machine_unless_told_otherwise(
    world: World, client: httpx.Client
) -> None:
    other = World(database_url=world.database_url, evidence_folder=world.evidence_folder)

    allowed = client.get("/metrics")
    with serving(other, metrics_access="nobody") as address:
        refused = httpx.get(f"{address}/metrics")

    assert allowed.status_code == 200
    assert "luuthong_api_requests_total" in allowed.text
    assert "luuthong_live_pages" in allowed.text
    assert refused.status_code == 404


def test_the_published_document_keeps_its_word_whatever_is_sent(
    world: World, client: httpx.Client
) -> None:
    world.store(Seen())
    document: dict[str, Any] = client.get("/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    cookies = dict(client.cookies)
    tried = 0

    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if (operation.method.upper(), operation.path) == ("DELETE", "/v1/session"):
            continue  # would end the session of the others

        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(
                base_url=world.api_url,
                cookies=cookies,
                checks=[
                    not_a_server_error,
                    status_code_conformance,
                    content_type_conformance,
                    response_schema_conformance,
                ],
            )

        given(case=operation.as_strategy())(check)()
        tried += 1

    assert tried == len([method for path in document["paths"].values() for method in path]) - 1


def _as_text(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    return repr(event)


def _follow(address: str, cookies: dict[str, str], ended: threading.Event) -> None:
    url = f"{address}/console/passages/stream?after=0"
    try:
        with httpx.stream("GET", url, cookies=cookies, timeout=30) as answer:
            for _ in answer.iter_bytes():
                pass
    except httpx.HTTPError:
        pass
    finally:
        ended.set()


def _wait_until_open(world: World) -> None:
    deadline = time.monotonic() + STOP_S_MAX
    while "luuthong_live_pages 1.0" not in httpx.get(f"{world.api_url}/metrics").text:
        assert time.monotonic() < deadline, "the live page did not open"
        time.sleep(0.05)
