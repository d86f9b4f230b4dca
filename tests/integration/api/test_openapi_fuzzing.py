# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nothing that the OpenAPI document allows, and little that it does not, breaks the api."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from central.identity.permissions import Permission
from tests.integration.api.test_machines_v1 import CONTROL
from tests.integration.api.test_openapi import _app
from tests.integration.api.world import Seen, World, drawn_jpeg

EXAMPLES_MAX = 12
"""Per operation. Higher: more is found, and the test takes longer; 12 take about half a minute."""

schema = schemathesis.openapi.from_dict(_app().openapi())
schema.config.generation.update(modes=[*schemathesis.GenerationMode])


@pytest.fixture(scope="module")
def key_header(lasting_world: World) -> Iterator[str]:
    """A key that may do everything that keys can be given."""
    lasting_world.forget()
    lasting_world.store(Seen(pictures=()))
    lasting_world.upload(drawn_jpeg(seed=1))
    more = (Permission.LOOK_UP_VEHICLES, Permission.CHECK_PAPERS)
    with lasting_world.program(*CONTROL, *more, name="fuzzer") as client:
        yield client.headers["authorization"]


@schema.parametrize()
@settings(
    max_examples=EXAMPLES_MAX,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_of_the_document_makes_a_server_error(
    case: "schemathesis.Case[Any]", lasting_world: World, key_header: str
) -> None:
    is_login = case.path == "/v1/session"
    headers = {} if is_login or case.method == "PUT" else {"Authorization": key_header}

    response = case.call(base_url=lasting_world.api_url, headers=headers)

    case.validate_response(response, checks=[not_a_server_error])
    assert response.status_code < httpx.codes.INTERNAL_SERVER_ERROR
