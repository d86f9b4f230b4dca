# SPDX-License-Identifier: AGPL-3.0-or-later
"""The private RabbitMQ cluster: who it lets in, where it listens, when it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from central.devices.broker_rights import INGEST_USERNAME
from deploy.local.broker import may_connect
from deploy.local.ports import LOOPBACK
from deploy.rabbitmq.cluster import RabbitCluster, RabbitNode
from deploy.setup.places import PROJECT_FOLDER
from tests.integration.central.conftest import wait_until

STARTS_AND_SAYS = """
import sys, time
from pathlib import Path
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.setup.places import server_account
from deploy.setup.rabbitmq import require_rabbitmq
folder = Path(sys.argv[1])
nodes = RabbitCluster(folder=folder / "o", programs=require_rabbitmq(), account=server_account(),
                      log_folder=folder, control_secret="c", ingest_secret="i", size=1)
nodes.init()
nodes.launch(nodes.nodes[0])
print(nodes.nodes[0].process.pid, nodes._epmd.pid, flush=True)
time.sleep(60)
"""


def test_three_nodes_become_one_cluster(rabbitmq: RabbitCluster) -> None:
    names = {node.name for node in rabbitmq.nodes}

    assert [rabbitmq.running_nodes(node) for node in rabbitmq.nodes] == [names] * 3


def test_only_loopback_can_reach_the_nodes(rabbitmq: RabbitCluster) -> None:
    listening = [
        connection.laddr.ip
        for node in rabbitmq.nodes
        for connection in psutil.Process(_pid(node)).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 4 * len(rabbitmq.nodes)
    assert set(listening) == {LOOPBACK}


@pytest.mark.parametrize(
    ("username", "secret", "is_let_in"),
    [
        (INGEST_USERNAME, None, True),
        (INGEST_USERNAME, "something else", False),
        ("guest", "guest", False),  # RabbitMQ's own account is not there
        ("", "", False),
    ],
)
def test_nobody_comes_in_without_an_account(
    rabbitmq: RabbitCluster, username: str, secret: str | None, *, is_let_in: bool
) -> None:
    chosen = rabbitmq.ingest_secret if secret is None else secret

    came_in = [
        may_connect(port=node.ports.mqtt, username=username, secret=chosen)
        for node in rabbitmq.nodes
    ]

    assert came_in == [is_let_in] * 3


def test_ingest_may_not_look_after_accounts(rabbitmq: RabbitCluster) -> None:
    asked = f"http://{LOOPBACK}:{rabbitmq.nodes[0].ports.management}/api/users"

    answer = httpx.get(asked, auth=(INGEST_USERNAME, rabbitmq.ingest_secret))

    assert answer.status_code == 401


def test_what_a_node_keeps_is_for_its_account_only(rabbitmq: RabbitCluster) -> None:
    files = [rabbitmq.folder, rabbitmq.folder / ".erlang.cookie", rabbitmq.folder / "n1"]
    open_to_others = [path.name for path in files if path.stat().st_mode & 0o077]

    assert open_to_others == []


def test_no_secret_is_on_a_command_line(rabbitmq: RabbitCluster) -> None:
    cookie = (rabbitmq.folder / ".erlang.cookie").read_text()
    said = [" ".join(psutil.Process(_pid(node)).cmdline()) for node in rabbitmq.nodes]

    assert all("rabbit" in each for each in said)
    assert not any(
        secret in each
        for each in said
        for secret in (cookie, rabbitmq.control_secret, rabbitmq.ingest_secret)
    )


def test_nodes_end_with_the_process_that_started_them(
    rabbitmq: RabbitCluster, server_folder: Path
) -> None:
    assert rabbitmq.size == 3
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_SAYS, str(server_folder)],
        stdout=subprocess.PIPE,
        cwd=PROJECT_FOLDER,
        env={**os.environ, "PYTHONPATH": str(PROJECT_FOLDER)},
        text=True,
    )
    assert starter.stdout is not None
    pids = [int(word) for word in starter.stdout.readline().split()]
    assert len(pids) == 2
    assert all(psutil.pid_exists(pid) for pid in pids)

    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()

    wait_until(lambda: not any(_lives(pid) for pid in pids), what="the node ends")


def _pid(node: RabbitNode) -> int:
    assert node.process is not None
    return node.process.pid


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
