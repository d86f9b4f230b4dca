# SPDX-License-Identifier: AGPL-3.0-or-later
"""One whole running system on real parts, all of which may be killed, frozen and cut off."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from central.devices.broker_rights import INGEST_USERNAME
from deploy.local.broker import PrivateBroker
from deploy.local.names import SERVICE_USER
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.postgres import DURABLE_SETTINGS, LoopbackAccess, PrivateCluster
from deploy.local.supervision.children import start_child, stop_child
from deploy.setup.places import server_account
from edge.outbox.store import look_into
from tests.chaos.breaking.links import Network
from tests.chaos.breaking.volume import Volume
from tests.chaos.device import DeviceWork, Traffic
from tests.chaos.nursery import Nursery
from tests.chaos.plan import BROKER, POSTGRES, WORKERS
from tests.chaos.template import DATABASE, Template, copy_for_server
from tests.chaos.truth import has_ended

READY_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0
POLL_S: Final = 0.03
CLUSTER_SETTINGS: Final = {
    **DURABLE_SETTINGS,
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "timescaledb.max_background_workers": "1",
}
TIDY_CODES: Final = (0, -signal.SIGTERM)
SUBSCRIBED: Final = "broker_subscribed"


class NotInTimeError(AssertionError):
    """Something that had to happen did not."""


def wait_until(condition: Callable[[], bool], *, what: str, limit_s: float) -> None:
    """Wait for a condition.

    Raises:
        NotInTimeError: It did not come true in time.
    """
    deadline_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise NotInTimeError(f"waited {limit_s:.0f} s in vain: {what}")
        time.sleep(POLL_S)


@dataclass(kw_only=True)
class Worker:
    """One ingest process, started as production starts it."""

    name: str
    environment: dict[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, with the session at the broker that it had before."""
        with self.log_file.open("ab") as log:
            self.process = start_child(
                [str(Path(sys.executable).with_name("luuthong-central")), "ingest"],
                log=log,
                environment=self.environment,
            )

    @property
    def is_subscribed(self) -> bool:
        """Whether the broker keeps messages for it by now."""
        return self.log_file.exists() and SUBSCRIBED in self.log_file.read_text("utf-8")


@dataclass(kw_only=True)
class Edge:
    """One device over all its lives."""

    work: DeviceWork
    nursery: Nursery
    lives: int = 0
    process: psutil.Process | None = None

    def start(self) -> None:
        """Begin the next life with the outbox of the one before."""
        self.lives += 1
        self.process = self.nursery.start(
            replace(self.work, seed=f"{self.work.seed} life {self.lives}")
        )


@dataclass(kw_only=True)
class System:
    """Servers, workers, devices and the network between them; a context manager.

    Attributes:
        is_on_disk: Whether the database lies on the disk and not on a small volume of its own.
    """

    template: Template
    nursery: Nursery
    folder: Path
    is_on_disk: bool = False
    edges: dict[str, Edge] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    worker_settings: dict[str, str] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        template, account = self.template, server_account()
        self.volume = Volume(folder=self.folder / "volume")
        self.cluster = PrivateCluster(
            data_folder=self.volume.folder / "pg",
            binaries=template.servers.postgres_bin,
            socket_folder=self.folder / "run",
            port=free_port(),
            account=account,
            log_file=self.folder / "postgres.log",
            settings=CLUSTER_SETTINGS,
            loopback_access=LoopbackAccess.ANYBODY,
        )
        self.broker = PrivateBroker(
            folder=self.folder / "broker",
            program=template.servers.mosquitto,
            plugin=template.servers.dynamic_security,
            port=free_port(),
            account=account,
            log_file=self.folder / "mosquitto.log",
            control_secret=template.control_secret,
        )

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def database_url(self) -> str:
        """The database as its owner reaches it, past all links."""
        return self.cluster.socket_dsn(DATABASE)

    def start_edge(self, name: str, traffic: Traffic) -> None:
        """Start a device that captures from now on."""
        folder = self.folder / name
        folder.mkdir()
        self.edges[name] = Edge(
            nursery=self.nursery,
            work=DeviceWork(
                device_id=name,
                secret=self.template.secrets[name],
                folder=folder,
                broker_port=self.network.port(f"{name} to broker"),
                until_s=time.monotonic() + traffic.lasts_s,
                traffic=traffic,
                seed=f"{traffic.seed} {name}",
            ),
        )
        self.edges[name].start()
        self._stack.callback(self._end_edge, name)

    def have_ended(self) -> bool:
        """Whether every device has captured its last event."""
        return all(has_ended(edge.work.truth_file) for edge in self.edges.values())

    def is_drained(self) -> bool:
        """Whether nothing more comes: the centre has committed everything of every device."""
        return self.have_ended() and self.waiting == 0

    @property
    def waiting(self) -> int:
        """Events in all outboxes."""
        return sum(look_into(edge.work.outbox_file).events for edge in self.edges.values())

    def started(self, name: str) -> subprocess.Popen[bytes] | psutil.Process | None:
        """The process of a part as it was started last; it may have ended since."""
        if name == POSTGRES:
            return self.cluster.process
        if name == BROKER:
            return self.broker.process
        return self.workers[name].process if name in self.workers else self.edges[name].process

    def process_tree(self, name: str) -> list[psutil.Process]:
        """The living processes of a part, the oldest first."""
        process = self.started(name)
        if process is None:
            return []
        try:
            parent = psutil.Process(process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def stop_workers(self) -> dict[str, int]:
        """Stop ingest as a supervisor does; returns the exit codes of those that failed.

        One that has just been started may end by the signal itself.
        """
        codes = {}
        for name, worker in self.workers.items():
            if worker.process is not None:
                stop_child(worker.process, first=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
                codes[name] = worker.process.returncode
        return {name: code for name, code in codes.items() if code not in TIDY_CODES}

    def _open(self) -> None:
        template = self.template
        if self.is_on_disk:
            self.volume.folder.mkdir()
        else:
            self.volume.open(used_bytes=template.cluster_bytes)
        self._stack.callback(self.volume.close)
        copy_for_server(template.cluster_folder, self.cluster.data_folder)
        copy_for_server(template.broker_folder, self.broker.folder)
        self.cluster.init()
        self.cluster.launch()
        self._stack.callback(self._end_servers)
        self.broker.init(ingest_secret=template.secrets[INGEST_USERNAME])
        self.broker.launch()
        links = [(f"{name} to broker", self.broker.port) for name in (*template.devices, *WORKERS)]
        links += [(f"{name} to postgres", self.cluster.port) for name in WORKERS]
        self.network = self._stack.enter_context(Network(links))
        wait_until(self.broker.answers, what="the broker answers", limit_s=READY_TIMEOUT_S)
        for name in WORKERS:
            self._add_worker(name)
        self.cluster.wait_ready(timeout_s=READY_TIMEOUT_S)
        wait_until(
            lambda: all(worker.is_subscribed for worker in self.workers.values()),
            what="ingest subscribes",
            limit_s=READY_TIMEOUT_S,
        )

    def _add_worker(self, name: str) -> None:
        password_file = self.folder / f"{name}.password"
        password_file.write_text(self.template.secrets[INGEST_USERNAME], encoding="utf-8")
        database_port = self.network.port(f"{name} to postgres")
        worker = Worker(
            name=name,
            log_file=self.folder / f"{name}.log",
            environment={
                "PATH": os.environ.get("PATH", os.defpath),
                "LUUTHONG_CENTRAL_DATABASE_URL": (
                    f"postgresql://{SERVICE_USER}@{LOOPBACK}:{database_port}/{DATABASE}"
                ),
                "LUUTHONG_CENTRAL_EVIDENCE_FOLDER": str(self.folder / "evidence"),
                "LUUTHONG_CENTRAL_BROKER__HOST": LOOPBACK,
                "LUUTHONG_CENTRAL_BROKER__PORT": str(self.network.port(f"{name} to broker")),
                "LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE": str(password_file),
                "LUUTHONG_CENTRAL_BROKER__CLIENT_ID": name,
                **self.worker_settings,
            },
        )
        self.workers[name] = worker
        worker.start()
        self._stack.callback(self._end_worker, worker)

    def _end_worker(self, worker: Worker) -> None:
        if worker.process is not None:
            worker.process.kill()
            worker.process.wait()

    def _end_edge(self, name: str) -> None:
        process = self.edges[name].process
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(STOP_TIMEOUT_S)

    def _end_servers(self) -> None:
        """End the servers even when they are frozen."""
        for name in (POSTGRES, BROKER):
            for process in self.process_tree(name):
                with suppress(psutil.NoSuchProcess):
                    process.resume()
        self.cluster.stop()
        self.broker.stop()
