# SPDX-License-Identifier: AGPL-3.0-or-later
"""The servers themselves are killed while events arrive; nothing is missing or doubled after."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import psutil
import psycopg
import pytest

from central.broker_settings import BrokerSettings
from central.db.migrate import apply_migrations
from central.devices.broker_rights import INGEST_USERNAME
from central.settings import CentralSettings, IngestSettings
from deploy.local.broker import PrivateBroker, new_secret
from deploy.local.ports import free_port
from deploy.local.postgres import DURABLE_SETTINGS, LoopbackAccess, PrivateCluster
from deploy.setup.components import Servers
from deploy.setup.places import server_account
from tests.conftest import copy_database

if TYPE_CHECKING:
    import subprocess

    from tests.integration.central.conftest import DeviceLink, FakeDevice, IngestRunner

WaitUntil = Callable[..., None]
TEMPLATE: Final = "luuthong_template"


class OwnBroker:
    """A broker that a test may kill; looks like the one of tests/conftest.py."""

    def __init__(self, private: PrivateBroker, ingest_secret: str) -> None:
        self.private = private
        self._ingest_secret = ingest_secret

    @property
    def host(self) -> str:
        return self.private.host

    @property
    def port(self) -> int:
        return self.private.port

    def password(self, username: str) -> str:
        assert username == INGEST_USERNAME
        return self._ingest_secret

    def add_device(self, device_id: str) -> str:
        return self.private.add_device(device_id)


@pytest.fixture(scope="module")
def own_folder(server_folder: Path) -> Iterator[Path]:
    """A short folder, which the servers' account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="own-", dir=server_folder))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def lasting_cluster(servers: Servers, own_folder: Path) -> Iterator[PrivateCluster]:
    """A durable database server of this file, with a migrated database to copy."""
    private = PrivateCluster(
        data_folder=own_folder / "pg",
        binaries=servers.postgres_bin,
        socket_folder=own_folder / "run",
        port=free_port(),
        account=server_account(),
        log_file=own_folder / "postgres.log",
        # With more of them, one would hold on to the database that is copied.
        settings={**DURABLE_SETTINGS, "timescaledb.max_background_workers": "1"},
        loopback_access=LoopbackAccess.ANYBODY,
    )
    private.init()
    private.start()
    private.ensure_database(TEMPLATE)
    apply_migrations(private.dsn(TEMPLATE))
    yield private
    private.stop()


@pytest.fixture
def own_cluster(lasting_cluster: PrivateCluster) -> PrivateCluster:
    """The server, running, whatever the test before did to it; this one may kill it, too."""
    if not lasting_cluster.answers():
        lasting_cluster.start()
    return lasting_cluster


@pytest.fixture
def broker(servers: Servers, own_folder: Path) -> Iterator[OwnBroker]:
    """In place of the run's broker: one that a test may kill."""
    secret, broker_folder = new_secret(), own_folder / f"broker-{uuid4().hex}"
    private = PrivateBroker(
        folder=broker_folder,
        program=servers.mosquitto,
        plugin=servers.dynamic_security,
        port=free_port(),
        account=server_account(),
        log_file=own_folder / "mosquitto.log",
        control_secret=new_secret(),
    )
    private.init(ingest_secret=secret)
    private.start()
    yield OwnBroker(private, secret)
    private.stop()


@pytest.fixture
def database_url(own_cluster: PrivateCluster) -> str:
    """In place of the run's database: a fresh one on the server that a test may kill."""
    name = f"test_{uuid4().hex}"
    copy_database(own_cluster, TEMPLATE, name=name)
    return own_cluster.dsn(name)


@pytest.fixture
def ingest_settings(database_url: str, broker: OwnBroker, tmp_path: Path) -> CentralSettings:
    """Without an end of the session: its broker ends with the test."""
    password_file = tmp_path / "ingest.password"
    password_file.write_text(broker.password(INGEST_USERNAME))
    return CentralSettings(
        database_url=database_url,
        broker=BrokerSettings(host=broker.host, port=broker.port, password_file=password_file),
        ingest=IngestSettings(batch_wait=timedelta(milliseconds=10), batch_events_max=50),
    )


def kill(process: "subprocess.Popen[bytes] | None") -> None:
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def stored_numbers(database_url: str) -> list[int]:
    with psycopg.Connection.connect(database_url) as connection:
        rows = connection.execute("SELECT seq FROM passage ORDER BY seq").fetchall()
    return [int(row[0]) for row in rows]


def test_nothing_is_lost_when_the_database_server_is_killed(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    own_cluster: PrivateCluster,
    database_url: str,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)

    with ingest.running():
        link.send(*(device.passage(seq=seq) for seq in range(1, 101)))
        wait_until(lambda: ingest.counted("stored") > 0, what="the first commit")
        kill(own_cluster.process)
        link.send(*(device.passage(seq=seq) for seq in range(101, 301)))
        wait_until(
            lambda: ingest.count("luuthong_ingest_commit_failures_total") >= 1,
            what="a failed commit",
        )
        own_cluster.start()
        link.wait_for_ack(300)

    assert stored_numbers(database_url) == list(range(1, 301))


def test_busy_children_of_a_killed_database_server_do_not_keep_the_next_one_from_starting(
    own_cluster: PrivateCluster, wait_until: WaitUntil
) -> None:
    with closing(psycopg.connect(own_cluster.socket_dsn("postgres"))) as connection:
        busy = psutil.Process(connection.info.backend_pid)
        # It never waits, so that it does not notice that its parent is gone.
        connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
        wait_until(lambda: busy.cpu_times().user > 0.05, what="the child is busy")
        kill(own_cluster.process)
        lives_on = busy.is_running()

        own_cluster.start()

        assert lives_on
        assert not busy.is_running()


def test_nothing_is_lost_when_the_broker_is_killed_and_devices_send_again(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    broker: OwnBroker,
    database_url: str,
    wait_until: WaitUntil,
) -> None:
    link = linked(device)
    passages = [device.passage(seq=seq) for seq in range(1, 201)]

    with ingest.running():
        link.send(*passages)
        wait_until(lambda: ingest.counted("stored") > 0, what="the first commit")
        kill(broker.private.process)
        broker.private.start()
        wait_until(
            lambda: (
                link.client.is_connected() and ingest.count("luuthong_ingest_broker_connected") == 1
            ),
            what="everybody is back",
        )
        # What a device does: everything that no commit acknowledgement has covered goes out again.
        link.send(*passages[link.acked_up_to :])
        link.wait_for_ack(200)

    assert stored_numbers(database_url) == list(range(1, 201))


def test_ingest_starts_while_both_servers_are_down(
    *,
    ingest: "IngestRunner",
    device: "FakeDevice",
    linked: "Callable[[FakeDevice], DeviceLink]",
    own_cluster: PrivateCluster,
    broker: OwnBroker,
    database_url: str,
) -> None:
    own_cluster.stop()
    broker.private.stop()

    with ingest.started():
        broker.private.start()
        ingest.wait_until_connected()
        link = linked(device)
        link.send(device.passage(seq=1))
        own_cluster.start()
        link.wait_for_ack(1)

    assert stored_numbers(database_url) == [1]
