# SPDX-License-Identifier: AGPL-3.0-or-later
"""One served api for all tests of this folder; every test finds it empty."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.postgres import PrivateCluster
from tests.integration.api.own_world import own_world
from tests.integration.api.world import World, served_world

__all__ = ["own_world"]


@pytest.fixture(scope="session")
def lasting_world(
    cluster: PrivateCluster, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A served api for the whole run."""
    with served_world(
        cluster,
        template=database_template,
        database="api_tests",
        evidence_folder=tmp_path_factory.mktemp("evidence"),
    ) as made:
        yield made


@pytest.fixture
def world(lasting_world: World) -> World:
    """The served api, emptied."""
    lasting_world.forget()
    return lasting_world


@pytest.fixture(scope="session")
def session_cookies(lasting_world: World) -> dict[str, str]:
    """Cookies of a session that lasts for the whole run: signing in is slow on purpose."""
    with lasting_world.signed_in() as client:
        return dict(client.cookies)


@pytest.fixture
def client(world: World, session_cookies: dict[str, str]) -> Iterator[httpx.Client]:
    """A client with a session."""
    with httpx.Client(base_url=world.api_url, cookies=session_cookies) as signed_in:
        yield signed_in
