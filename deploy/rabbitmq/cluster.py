# SPDX-License-Identifier: AGPL-3.0-or-later
"""A private RabbitMQ cluster on loopback that ends with the process that started it."""

import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

import httpx

from central.devices.broker_rights import CONTROL_USERNAME
from central.devices.rabbitmq.rights import services_definitions
from deploy.errors import ClusterError, StackNotReadyError
from deploy.local.ports import LOOPBACK, free_port, has_listener
from deploy.local.supervision.children import start_child, stop_child
from deploy.rabbitmq.configuration import (
    CONFIGURATION_NAME,
    DEFINITIONS_NAME,
    NodeCertificate,
    NodePorts,
    command,
    configuration,
    environment,
    node_name,
    plugins_file,
)
from deploy.setup.places import ServerAccount
from deploy.setup.rabbitmq import RabbitPrograms

NODES: Final = 3
"""The fewest that still decide when one is lost."""

STOP_TIMEOUT_S: Final = 20.0

_READY_TIMEOUT_S: Final = 120.0
_PROBE_TIMEOUT_S: Final = 5.0
_POLL_INTERVAL_S: Final = 0.1
_PRIVATE_MODE: Final = 0o700
_SECRET_MODE: Final = 0o600
_NOT_FOUND: Final = 404
_COOKIE_NAME: Final = ".erlang.cookie"
_COOKIE_MODE: Final = 0o400
_COOKIE_BYTES: Final = 32
_PATH_LENGTH_MAX: Final = 120


@dataclass(kw_only=True)
class RabbitNode:
    """One node of a cluster.

    Attributes:
        number: Counted from 1.
        ports: Where it listens, on loopback only.
        log_file: What it says.
        process: The running node; ``None`` before it was started.
    """

    number: int
    folder: Path
    ports: NodePorts
    log_file: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """Its name among the nodes."""
        return node_name(self.number)

    @property
    def management_url(self) -> str:
        """Where its accounts and state are looked after."""
        return f"http://{LOOPBACK}:{self.ports.management}"

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@dataclass(kw_only=True)
class RabbitCluster:
    """Nodes in one folder, with a port mapper and a cookie of their own.

    Attributes:
        folder: Everything they write; kept between starts.
        programs: The installed RabbitMQ.
        account: Who runs them.
        log_folder: Their logs.
        control_secret: Of the account that gives accounts to devices.
        ingest_secret: Of ingest's account.
        size: How many nodes.
        certificate: For ports with TLS beside the plain ones; ``None`` for none.
    """

    folder: Path
    programs: RabbitPrograms
    account: ServerAccount
    log_folder: Path
    control_secret: str = field(repr=False)
    ingest_secret: str = field(repr=False)
    size: int = NODES
    certificate: NodeCertificate | None = None
    nodes: Sequence[RabbitNode] = field(init=False)
    _epmd_port: int = field(init=False)
    _epmd: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        ports = _different_ports(6 * self.size + 1)
        self._epmd_port = ports.pop()
        self.nodes = tuple(
            RabbitNode(
                number=number,
                folder=self.folder / f"n{number}",
                log_file=self.log_folder / f"rabbitmq-{number}.log",
                ports=NodePorts(
                    mqtt=ports.pop(),
                    amqp=ports.pop(),
                    management=ports.pop(),
                    distribution=ports.pop(),
                    mqtt_tls=ports.pop(),
                    amqp_tls=ports.pop(),
                ),
            )
            for number in range(1, self.size + 1)
        )

    def init(self) -> None:
        """Write settings, accounts of the centre and the cookie; what nodes hold is kept.

        Raises:
            ClusterError: The folder's name is too long for Erlang's files.
        """
        if len(str(self.folder)) > _PATH_LENGTH_MAX:
            raise ClusterError(
                f"{self.folder} is too long a name for RabbitMQ. Choose a shorter one"
                " (LUUTHONG_HOME)."
            )
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._make_folder(self.folder)
        cookie = self.folder / _COOKIE_NAME
        if not cookie.exists():
            self._write(cookie, secrets.token_hex(_COOKIE_BYTES), mode=_COOKIE_MODE)
        definitions = services_definitions(
            control_secret=self.control_secret, ingest_secret=self.ingest_secret
        )
        self._write(self.folder / DEFINITIONS_NAME, json.dumps(definitions, indent=1))
        for node in self.nodes:
            for name in (".", "data", "log", "generated"):
                self._make_folder(node.folder / name)
            text = configuration(
                node.ports,
                definitions=self.folder / DEFINITIONS_NAME,
                nodes=self.size,
                certificate=self.certificate,
            )
            self._write(node.folder / CONFIGURATION_NAME, text)
            self._write(node.folder / "plugins", plugins_file())

    def start(self, stop: Event | None = None) -> None:
        """Start all nodes as children that end with us, and wait until they are one cluster.

        Args:
            stop: Ends the wait when set; nothing is stopped by that.

        Raises:
            StackNotReadyError: One ended, or they did not find each other in time.
        """
        for node in self.nodes:
            self.launch(node)
        for node in self.nodes:
            self.wait_ready(node, stop)

    def launch(self, node: RabbitNode) -> None:
        """Start a node without waiting for it; the port mapper comes first."""
        if self._epmd is None or self._epmd.poll() is not None:
            self._start_port_mapper()
        with node.log_file.open("ab") as log:
            node.process = start_child(
                command(self.programs),
                log=log,
                account=self.account,
                environment=environment(
                    self.programs,
                    node.folder,
                    number=node.number,
                    ports=node.ports,
                    epmd_port=self._epmd_port,
                ),
                death_signal=signal.SIGKILL,
            )

    def wait_ready(self, node: RabbitNode, stop: Event | None = None) -> None:
        """Wait until a node answers devices, ingest and HTTP, and sees all others that run.

        Raises:
            StackNotReadyError: It ended, or it took too long.
        """
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self._is_ready(node) and not (stop is not None and stop.is_set()):
            if not node.is_running or time.monotonic() > deadline:
                detail = "no answer in time" if node.is_running else "it ended"
                raise StackNotReadyError(node.name, log_file=node.log_file, detail=detail)
            time.sleep(_POLL_INTERVAL_S)

    def stop(self) -> None:
        """Stop all nodes and the port mapper; what they hold stays in the folder."""
        for node in self.nodes:
            if node.is_running and node.process is not None:
                node.process.send_signal(signal.SIGTERM)
        for node in self.nodes:
            if node.process is not None:
                stop_child(node.process, first=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
            node.process = None
        if self._epmd is not None:
            stop_child(self._epmd, first=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
        self._epmd = None

    def running_nodes(self, node: RabbitNode) -> frozenset[str]:
        """Names of the nodes that run, as one of them sees it; none where it does not answer."""
        try:
            found = self._managed(node, "GET", "nodes").json()
        except (httpx.HTTPError, ValueError):
            return frozenset()
        rows = found if isinstance(found, list) else []
        return frozenset(str(each["name"]) for each in rows if each.get("running"))

    def manage(self, method: str, path: str) -> httpx.Response:
        """Ask the first node that runs through its management interface.

        Raises:
            ClusterError: It does not answer, or refuses; what is not there is no refusal.
        """
        for node in self.nodes:
            if node.is_running:
                try:
                    answer = self._managed(node, method, path)
                    return answer if answer.status_code == _NOT_FOUND else answer.raise_for_status()
                except httpx.HTTPError as error:
                    raise ClusterError(f"{node.name} did not do {method} {path}") from error
        raise ClusterError("no RabbitMQ node runs")

    def _managed(self, node: RabbitNode, method: str, path: str) -> httpx.Response:
        return httpx.request(
            method,
            f"{node.management_url}/api/{path}",
            auth=(CONTROL_USERNAME, self.control_secret),
            timeout=_PROBE_TIMEOUT_S,
            trust_env=False,
        )

    def _is_ready(self, node: RabbitNode) -> bool:
        ports = (node.ports.management, node.ports.amqp, node.ports.mqtt)
        if not all(has_listener(port, timeout_s=_PROBE_TIMEOUT_S) for port in ports):
            return False
        alive = {each.name for each in self.nodes if each.is_running}
        return alive <= self.running_nodes(node)

    def _start_port_mapper(self) -> None:
        """Erlang's own, on loopback; a node would start one that outlives it."""
        log_file = self.log_folder / "epmd.log"
        with log_file.open("ab") as log:
            self._epmd = start_child(
                [
                    str(self.programs.runtime / "epmd"),
                    *("-address", LOOPBACK, "-port", str(self._epmd_port)),
                ],
                log=log,
                account=self.account,
                environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            )
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not has_listener(self._epmd_port, timeout_s=_PROBE_TIMEOUT_S):
            if self._epmd.poll() is not None or time.monotonic() > deadline:
                raise StackNotReadyError(
                    "Erlang's port mapper", log_file=log_file, detail="it does not listen"
                )
            time.sleep(_POLL_INTERVAL_S)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_PRIVATE_MODE)
        self._give_to_account(folder)

    def _write(self, path: Path, text: str, *, mode: int = _SECRET_MODE) -> None:
        path.touch(mode=_SECRET_MODE)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        self._give_to_account(path)

    def _give_to_account(self, path: Path) -> None:
        if not self.account.is_ours:
            os.chown(path, self.account.uid, self.account.gid)


def _different_ports(count: int) -> list[int]:
    """Free loopback ports, no two alike."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return sorted(found)
