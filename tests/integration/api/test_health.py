# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the api tells how it is."""

import httpx

from tests.integration.api.world import World


def test_health_is_ok_with_a_database(world: World) -> None:
    answer = httpx.get(f"{world.api_url}/v1/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
