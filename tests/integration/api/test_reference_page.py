# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page about ``/v1``: whole, in both languages, without scripts and without other hosts."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from jsonschema import Draft202012Validator

from api.pages.i18n import Language
from api.public.reference.document import groups_of, problems_of
from tests.integration.api.test_openapi import SNAPSHOT
from tests.integration.api.world import World

DOCUMENT: Final[dict[str, Any]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
JSON: Final = "application/json"


def json_bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body that is taken or answered when all is well, with where it stands."""
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            if JSON in (content := operation.get("requestBody", {}).get("content", {})):
                yield f"{name} takes", content[JSON]
            for status, response in operation["responses"].items():
                if status.startswith("2") and JSON in (content := response.get("content", {})):
                    yield f"{name} answers {status}", content[JSON]


@pytest.mark.parametrize(("where", "body"), list(json_bodies()), ids=lambda part: str(part)[:40])
def test_every_body_has_an_example_that_keeps_its_schema(where: str, body: dict[str, Any]) -> None:
    schema = {**body["schema"], "components": DOCUMENT["components"]}

    assert "example" in body, where
    Draft202012Validator(schema).validate(body["example"])


@pytest.mark.parametrize("language", list(Language))
def test_the_page_shows_every_operation_parameter_and_error_without_a_session(
    world: World, language: Language
) -> None:
    answer = httpx.get(f"{world.api_url}/docs", params={"lang": language.value})

    operations = [operation for each in DOCUMENT["paths"].values() for operation in each.values()]
    assert answer.status_code == 200
    assert len(operations) > 20
    for path in DOCUMENT["paths"]:
        assert path in answer.text
    for operation in operations:
        assert f'id="{operation["operationId"]}"' in answer.text
        for parameter in operation.get("parameters", ()):
            assert f'<code translate="no">{parameter["name"]}</code>' in answer.text
    for problem in problems_of(DOCUMENT, str):
        assert f'<code translate="no">{problem.code}</code>' in answer.text
    assert ("Giao diện lập trình" in answer.text) is (language is Language.VI)


def test_the_page_needs_no_script_and_no_other_host(world: World) -> None:
    page = httpx.get(f"{world.api_url}/docs").text

    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!/|#|\?)', page)


def test_a_body_with_a_choice_tells_what_may_be_chosen() -> None:
    fields = {
        field.name: field.about
        for group in groups_of(DOCUMENT, str)
        for operation in group.operations
        for field in operation.fields
        if operation.id == "look_up_vehicle"
    }

    assert "inspection" in fields["purpose"]


def test_whoever_has_the_page_drawn_all_the_time_is_told_to_wait(world: World) -> None:
    with httpx.Client(base_url=world.api_url) as client:
        statuses = [client.get("/docs").status_code for _ in range(61)]

    assert statuses[-1] == 429
