# SPDX-License-Identifier: AGPL-3.0-or-later
"""A served api of one file alone, for the conftest files that offer it."""

from collections.abc import Iterator

import pytest

from deploy.local.postgres import PrivateCluster
from tests.integration.api.world import World, served_world


@pytest.fixture(scope="module")
def own_world(
    cluster: PrivateCluster,
    database_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    """A served api of one file alone: whatever somebody may do can really be done there."""
    with served_world(
        cluster,
        template=database_template,
        database=request.module.__name__.rpartition(".")[2],
        evidence_folder=tmp_path_factory.mktemp("evidence"),
    ) as made:
        yield made
