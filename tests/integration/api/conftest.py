# SPDX-License-Identifier: AGPL-3.0-or-later
"""One served api for all tests of this folder; every test finds it empty."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import httpx
import psycopg
import pytest
from psycopg import sql

from deploy.local.postgres import PrivateCluster
from tests.integration.api.world import World, serving

_DATABASE: Final = "api_tests"
_EMPTY: Final = """
    TRUNCATE passage, passage_identity, passage_evidence, passage_feed, evidence, device_stream,
             device_status, device_heartbeat, quarantine;
    DELETE FROM camera WHERE id <> 'lan-vao';
    UPDATE app_user SET failed_logins = 0, login_allowed_at = NULL;
"""


@pytest.fixture(scope="session")
def served_world(
    cluster: PrivateCluster, database_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A served api with one user, one site and one device."""
    with closing(psycopg.connect(cluster.dsn("postgres"), autocommit=True)) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(_DATABASE), sql.Identifier(database_template)
            )
        )
    made = World(
        database_url=cluster.dsn(_DATABASE), evidence_folder=tmp_path_factory.mktemp("evidence")
    )
    made.settle()
    with serving(made):
        yield made


@pytest.fixture
def world(served_world: World) -> World:
    """The served api, emptied."""
    with psycopg.connect(served_world.database_url) as connection:
        connection.execute(_EMPTY)
    served_world.forget()
    return served_world


@pytest.fixture(scope="session")
def session_cookies(served_world: World) -> dict[str, str]:
    """Cookies of a session that lasts for the whole run: signing in is slow on purpose."""
    with served_world.signed_in() as client:
        return dict(client.cookies)


@pytest.fixture
def client(world: World, session_cookies: dict[str, str]) -> Iterator[httpx.Client]:
    """A client with a session."""
    with httpx.Client(base_url=world.api_url, cookies=session_cookies) as signed_in:
        yield signed_in
