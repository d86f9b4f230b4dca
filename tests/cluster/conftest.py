# SPDX-License-Identifier: AGPL-3.0-or-later
"""A RabbitMQ cluster of three nodes, started once; asked for by ``make cluster-test`` only."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.broker import new_secret
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.setup.places import server_account
from deploy.setup.rabbitmq import RABBITMQ_SETUP, find_rabbitmq

ASKED_FOR = "LUUTHONG_CLUSTER_TESTS"


@pytest.fixture(scope="session")
def rabbitmq(server_folder: Path) -> Iterator[RabbitCluster]:
    """Running nodes; they take ten seconds to start, so the usual run of all tests has none."""
    if not os.environ.get(ASKED_FOR):
        pytest.skip("a RabbitMQ cluster is tried by: make cluster-test")
    programs = find_rabbitmq()
    if programs is None:
        pytest.skip(f"RabbitMQ is not set up; run: {RABBITMQ_SETUP}")
    nodes = RabbitCluster(
        folder=server_folder / "rq",
        programs=programs,
        account=server_account(),
        log_folder=server_folder,
        control_secret=new_secret(),
        ingest_secret=new_secret(),
    )
    nodes.init()
    try:
        nodes.start()
        yield nodes
    finally:
        nodes.stop()
