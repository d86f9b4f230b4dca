# SPDX-License-Identifier: AGPL-3.0-or-later
"""The machine interface as it is published; a change of it must be meant.

``python -m tests.integration.api.test_openapi`` writes the snapshot again.
"""

import json
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from api.main import create_app
from api.settings import ApiSettings
from tests.integration.api.test_session import api_routes_of
from tests.integration.api.world import World

SNAPSHOT = Path(__file__).with_name("openapi.json")
DOCUMENT_TIMEOUT_S = 30.0


def _app() -> FastAPI:
    return create_app(ApiSettings(database_url="postgresql://localhost/none"))


def _document() -> str:
    return json.dumps(_app().openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def test_the_document_is_the_snapshot() -> None:
    assert _document() == SNAPSHOT.read_text(encoding="utf-8")


def test_nothing_that_a_request_depends_on_is_asked_in_a_thread_of_its_own() -> None:
    pending = [route.dependant for route in api_routes_of(_app())]
    asked, slow = 0, set()
    while pending:
        for inner in pending.pop().dependencies:
            pending.append(inner)
            asked += 1
            if not (iscoroutinefunction(inner.call) or isasyncgenfunction(inner.call)):
                slow.add(repr(inner.call))

    assert asked > 1000
    assert slow == set()


def test_every_operation_names_its_errors_with_codes_and_examples() -> None:
    document: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))

    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            for status, response in operation["responses"].items():
                if int(status) < 400 or path == "/v1/health":
                    continue
                examples = response["content"]["application/problem+json"]["examples"]
                assert examples, (method, path, status)
                for code, example in examples.items():
                    assert example["value"]["code"] == code
                    assert example["value"]["status"] == int(status)


def test_the_document_is_served_to_those_who_are_signed_in(world: World) -> None:
    with world.signed_in() as client:
        # Its first writing takes seconds of a processor that others use, too.
        answer = client.get("/v1/openapi.json", timeout=DOCUMENT_TIMEOUT_S)

    assert answer.json() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    SNAPSHOT.write_text(_document(), encoding="utf-8")
