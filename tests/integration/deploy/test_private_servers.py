# SPDX-License-Identifier: AGPL-3.0-or-later
from typing import TYPE_CHECKING

import psycopg

from deploy.local.broker import may_connect
from deploy.local.postgres import PrivateCluster

if TYPE_CHECKING:
    from tests.conftest import BrokerForTests


def test_the_private_cluster_has_hypertables(cluster: PrivateCluster) -> None:
    cluster.ensure_database("hypertables")

    with psycopg.connect(cluster.dsn("hypertables")) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        connection.execute("CREATE TABLE reading (at timestamptz NOT NULL)")
        connection.execute("SELECT create_hypertable('reading', by_range('at'))")
        connection.execute("INSERT INTO reading VALUES (now())")
        row = connection.execute("SELECT count(*) FROM reading").fetchone()

    assert row == (1,)


def test_a_device_is_let_in_as_soon_as_it_is_added(broker: "BrokerForTests") -> None:
    assert not may_connect(port=broker.port, username="device-new", secret="wrong")

    secret = broker.add_device("device-new")

    assert may_connect(port=broker.port, username="device-new", secret=secret)
    assert not may_connect(port=broker.port, username="device-new", secret="wrong")
