# SPDX-License-Identifier: AGPL-3.0-or-later
"""A running api for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.api.world import World, serving


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A served api with one user, one site and one device."""
    made = World(database_url=database_url, evidence_folder=tmp_path / "evidence")
    made.settle()
    with serving(made):
        yield made


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """A client with a session."""
    with world.signed_in() as signed_in:
        yield signed_in
