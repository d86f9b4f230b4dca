# SPDX-License-Identifier: AGPL-3.0-or-later
"""``make rabbitmq``: three RabbitMQ nodes on loopback until Ctrl-C."""

import signal
import sys
import threading
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.errors import DeployError, LocalStackError
from deploy.local.broker import new_secret
from deploy.local.layout import write_secret
from deploy.local.ports import LOOPBACK
from deploy.local.state import held_lock
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.setup.places import (
    HOME_SETTING,
    home_folder,
    require_writable,
    server_account,
    server_data_folder,
)
from deploy.setup.rabbitmq import require_rabbitmq

FOLDER_NAME: Final = "rabbitmq"
_LOOK_INTERVAL_S: Final = 1.0


def main() -> None:
    """Run the cluster; expected errors become one plain line and exit code 1."""
    console = Console()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    home = home_folder() / FOLDER_NAME
    try:
        require_writable(home, setting=HOME_SETTING)
        with held_lock(home / "lock") as is_ours:
            if not is_ours:
                raise LocalStackError(f"the RabbitMQ nodes of {home} are already running")
            _run(console, home, stop)
    except DeployError as error:
        Console(stderr=True).print(f"luuthong: {error}", markup=False, soft_wrap=True)
        sys.exit(1)


def _run(console: Console, home: Path, stop: threading.Event) -> None:
    cluster = RabbitCluster(
        folder=server_data_folder(home_folder()) / FOLDER_NAME / "nodes",
        programs=require_rabbitmq(),
        account=server_account(),
        log_folder=home / "logs",
        control_secret=_kept_secret(home / "control-password"),
        ingest_secret=_kept_secret(home / "ingest-password"),
    )
    cluster.init()
    console.print("Starting three RabbitMQ nodes; this takes some ten seconds.")
    try:
        cluster.start(stop)
        if not stop.is_set():
            _show(console, cluster, home)
            _watch(console, cluster, stop)
    finally:
        cluster.stop()
    console.print("Stopped. What the nodes hold stays.")


def _show(console: Console, cluster: RabbitCluster, home: Path) -> None:
    for node in cluster.nodes:
        ports = node.ports
        console.print(
            f"{node.name}: MQTT {LOOPBACK}:{ports.mqtt}, AMQP {LOOPBACK}:{ports.amqp},"
            f" management http://{LOOPBACK}:{ports.management}, process"
            f" {node.process.pid if node.process else 0}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"Users and passwords: ingest in {home / 'ingest-password'}, centre in"
        f" {home / 'control-password'}. Press Ctrl-C to stop.",
        highlight=False,
        soft_wrap=True,
    )


def _watch(console: Console, cluster: RabbitCluster, stop: threading.Event) -> None:
    """Say when a node ends; the others go on, which is what a cluster is for."""
    seen = {node.name for node in cluster.nodes}
    while not stop.wait(_LOOK_INTERVAL_S):
        alive = {node.name for node in cluster.nodes if node.is_running}
        for name in sorted(seen - alive):
            console.print(f"{name} has ended. The others go on.", highlight=False)
        seen &= alive
        if not alive:
            return


def _kept_secret(path: Path) -> str:
    """A secret in a file that only we may read; made the first time."""
    if not path.exists():
        write_secret(path, new_secret())
    return path.read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    main()
