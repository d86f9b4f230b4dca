# SPDX-License-Identifier: AGPL-3.0-or-later
"""A RabbitMQ cluster of three nodes, started once; asked for by ``make cluster-test`` only."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pika import ConnectionParameters, PlainCredentials
from pika.adapters.blocking_connection import BlockingConnection

from central.broker_settings import BrokerSettings, RabbitSettings
from central.devices.authority import make_authority
from central.devices.broker_rights import INGEST_USERNAME
from central.devices.rabbitmq.accounts import ManagementAccess, RabbitAccounts
from central.devices.rabbitmq.names import INGEST_QUEUE, VHOST
from central.ingest.broker.amqp import AmqpLink
from central.ingest.broker.port import BrokerLink
from central.settings import CentralSettings, IngestSettings
from deploy.local.broker import new_secret
from deploy.local.ports import LOOPBACK
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.rabbitmq.configuration import NodeCertificate
from deploy.setup.places import server_account
from deploy.setup.rabbitmq import RABBITMQ_SETUP, find_rabbitmq, require_rabbitmq
from tests.fixtures.certificates import loopback_certificate
from tests.integration.central.conftest import (
    count,
    database_outage,
    device,
    ingest,
    linked,
    new_device,
    register_fixture,
    rows,
    wait_until_fixture,
)

__all__ = [
    "count",
    "database_outage",
    "device",
    "ingest",
    "linked",
    "new_device",
    "register_fixture",
    "rows",
    "wait_until_fixture",
]

ASKED_FOR = "LUUTHONG_CLUSTER_TESTS"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip before anything is set up: the usual run of all tests has no time for a cluster."""
    if os.environ.get(ASKED_FOR):
        reason = "" if find_rabbitmq() else f"RabbitMQ is not set up; run: {RABBITMQ_SETUP}"
    else:
        reason = "a RabbitMQ cluster is tried by: make cluster-test"
    for item in items:
        if reason and item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def rabbitmq(server_folder: Path) -> Iterator[RabbitCluster]:
    """Three running nodes with certificates."""
    certificates = server_folder / "tls"
    certificates.mkdir()
    make_authority(
        key_file=certificates / "devices.key",
        certificate_file=certificates / "devices.pem",
        name="devices of a test",
        now=datetime.now(UTC),
    )
    server = loopback_certificate(certificates)
    for path in certificates.iterdir():
        path.chmod(0o644)  # the nodes run as another account where this is root
    nodes = RabbitCluster(
        certificate=NodeCertificate(
            authority_file=certificates / "devices.pem",
            certificate_file=server.certificate_file,
            key_file=server.key_file,
        ),
        folder=server_folder / "rq",
        programs=require_rabbitmq(),
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


def speaking_amqp(cluster: RabbitCluster, username: str, secret: str) -> BlockingConnection:
    """Somebody's connection to the first node."""
    return BlockingConnection(
        ConnectionParameters(
            host=LOOPBACK,
            port=cluster.nodes[0].ports.amqp,
            virtual_host=VHOST,
            credentials=PlainCredentials(username, secret),
        )
    )


def forget_queue(cluster: RabbitCluster) -> None:
    """Remove ingest's queue with what earlier tests left in it; ingest makes it again."""
    with speaking_amqp(cluster, INGEST_USERNAME, cluster.ingest_secret) as connection:
        connection.channel().queue_delete(INGEST_QUEUE)


class RabbitForTests:
    """The cluster as the tests of ingest know a broker."""

    def __init__(self, cluster: RabbitCluster) -> None:
        self._cluster = cluster
        self._secrets = {INGEST_USERNAME: cluster.ingest_secret}

    @property
    def host(self) -> str:
        return LOOPBACK

    @property
    def port(self) -> int:
        return self._cluster.nodes[0].ports.mqtt

    def password(self, username: str) -> str:
        return self._secrets[username]

    @property
    def management_access(self) -> ManagementAccess:
        return ManagementAccess(
            urls=tuple(node.management_url for node in self._cluster.nodes),
            secret=self._cluster.control_secret,
        )

    def add_device(self, device_id: str) -> str:
        secret = new_secret()
        with RabbitAccounts(self.management_access) as accounts:
            accounts.let_in(device_id, secret=secret)
        self._secrets[device_id] = secret
        return secret


@pytest.fixture
def broker(rabbitmq: RabbitCluster) -> RabbitForTests:
    return RabbitForTests(rabbitmq)


@pytest.fixture
def ingest_settings(
    database_url: str, rabbitmq: RabbitCluster, broker: RabbitForTests, tmp_path: Path
) -> CentralSettings:
    """Settings of an ingest that finds its queue empty."""
    forget_queue(rabbitmq)
    password_file = tmp_path / "ingest.password"
    password_file.write_text(broker.password(INGEST_USERNAME))
    return CentralSettings(
        database_url=database_url,
        broker=BrokerSettings(
            host=broker.host,
            port=broker.port,
            password_file=password_file,
            rabbitmq=RabbitSettings(
                nodes=tuple(f"{LOOPBACK}:{node.ports.amqp}" for node in rabbitmq.nodes)
            ),
        ),
        ingest=IngestSettings(batch_wait=timedelta(milliseconds=10)),
    )


@pytest.fixture
def link_kind() -> type[BrokerLink]:
    return AmqpLink


@pytest.fixture
def accounts(broker: RabbitForTests) -> Iterator[RabbitAccounts]:
    with RabbitAccounts(broker.management_access) as opened:
        yield opened
