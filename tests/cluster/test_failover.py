# SPDX-License-Identifier: AGPL-3.0-or-later
"""A node and an ingest are killed under load and started again: nothing is lost or doubled."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest

from central.devices.broker_rights import INGEST_USERNAME
from central.devices.rabbitmq.names import INGEST_QUEUE, VHOST
from deploy.local.ports import LOOPBACK
from deploy.rabbitmq.cluster import RabbitCluster, RabbitNode
from edge.outbox.store import look_into
from tests.chaos.checking import check
from tests.chaos.command import work_folder
from tests.chaos.device import DeviceWork, Traffic
from tests.chaos.nursery import Nursery
from tests.chaos.system import Edge, Worker, wait_until
from tests.chaos.truth import has_ended, read_truth
from tests.cluster.conftest import RabbitForTests, forget_queue
from tests.cluster.receipts import Sender, waiting_ids
from tests.integration.central.conftest import FakeDevice, register

DEVICES = ("gate-one", "gate-two", "gate-three", "gate-four")
TRAFFIC = Traffic(rate=25.0, lasts_s=24.0, seed="cluster")
BETWEEN_FAULTS_S = 4.0
LONG_TRAFFIC_S = 40.0
DRAIN_LIMIT_S = 90.0


@pytest.fixture
def folder() -> Iterator[Path]:
    with work_folder() as made:
        yield made


@pytest.fixture
def workers(
    rabbitmq: RabbitCluster, database_url: str, folder: Path
) -> Iterator[dict[str, Worker]]:
    """Two ingest processes, as production starts them, which read the same queue."""
    forget_queue(rabbitmq)
    made = {
        name: _worker(name, rabbitmq, database_url, folder) for name in ("ingest-1", "ingest-2")
    }
    for worker in made.values():
        worker.start()
    wait_until(
        lambda: all(worker.is_subscribed for worker in made.values()),
        what="ingest subscribes",
        limit_s=60,
    )
    yield made
    for worker in made.values():
        assert worker.process is not None
        worker.process.kill()
        worker.process.wait()


@pytest.fixture
def edges(
    rabbitmq: RabbitCluster, broker: RabbitForTests, owner_url: str, folder: Path
) -> Iterator[dict[str, Edge]]:
    """Devices with the product's own way out; each begins at another node."""
    with Nursery(log_file=folder / "nursery.log") as nursery:
        made = {}
        for turn, name in enumerate(DEVICES):
            register(owner_url, FakeDevice(device_id=name))
            ports = [node.ports.mqtt for node in rabbitmq.nodes]
            first, *others = [*ports[turn % 3 :], *ports[: turn % 3]]
            (folder / name).mkdir()
            work = DeviceWork(
                device_id=name,
                secret=broker.add_device(name),
                folder=folder / name,
                broker_port=first,
                other_ports=tuple(others),
                until_s=0.0,
                traffic=TRAFFIC,
                seed=name,
            )
            made[name] = Edge(work=work, nursery=nursery)
        yield made
        for edge in made.values():
            if edge.process is not None:
                with suppress(psutil.NoSuchProcess):
                    edge.process.kill()


def test_every_event_is_stored_once_while_a_node_and_an_ingest_are_killed(
    *,
    rabbitmq: RabbitCluster,
    workers: dict[str, Worker],
    edges: dict[str, Edge],
    owner_url: str,
) -> None:
    leader = _leader(rabbitmq)
    _start(edges, lasts_s=TRAFFIC.lasts_s)

    time.sleep(BETWEEN_FAULTS_S)
    leader.kill()
    time.sleep(BETWEEN_FAULTS_S)
    _kill(workers["ingest-1"])
    time.sleep(BETWEEN_FAULTS_S)
    rabbitmq.launch(leader)
    workers["ingest-1"].start()
    rabbitmq.wait_ready(leader)
    wait_until(lambda: _is_drained(edges), what="all is committed", limit_s=DRAIN_LIMIT_S)

    moved = [edge for edge in edges.values() if edge.work.broker_port == leader.ports.mqtt]
    assert moved
    assert all(_connections(edge) > 1 for edge in moved)
    truth = read_truth(edge.work.truth_file for edge in edges.values())
    stored, problems = check(owner_url, truth, [edge.work.outbox_file for edge in edges.values()])
    assert problems == ()
    assert stored.events == len(truth.kept)
    assert stored.events > len(DEVICES) * TRAFFIC.rate * TRAFFIC.lasts_s / 2


def test_every_event_is_stored_once_while_the_nodes_are_killed_one_after_the_other(
    *,
    rabbitmq: RabbitCluster,
    workers: dict[str, Worker],
    edges: dict[str, Edge],
    owner_url: str,
) -> None:
    _start(edges, lasts_s=LONG_TRAFFIC_S)

    for node in rabbitmq.nodes:
        node.kill()
        time.sleep(BETWEEN_FAULTS_S)
        rabbitmq.launch(node)
        rabbitmq.wait_ready(node)
        wait_until(lambda: _has_every_member(rabbitmq), what="the queue is whole", limit_s=60)
    wait_until(lambda: _is_drained(edges), what="all is committed", limit_s=DRAIN_LIMIT_S)

    truth = read_truth(edge.work.truth_file for edge in edges.values())
    stored, problems = check(owner_url, truth, [edge.work.outbox_file for edge in edges.values()])
    assert problems == ()
    assert stored.events == len(truth.kept)
    assert all(worker.process and worker.process.poll() is None for worker in workers.values())
    assert all(_connections(edge) > 1 for edge in edges.values())


def test_every_confirmed_event_is_stored_once_without_its_device_s_help(
    *,
    rabbitmq: RabbitCluster,
    broker: RabbitForTests,
    workers: dict[str, Worker],
    owner_url: str,
) -> None:
    """The sender sends each event once, so only broker and ingest can keep it from being lost."""
    device = FakeDevice(device_id="gate-once")
    register(owner_url, device)
    leader = _leader(rabbitmq)
    ports = [node.ports.mqtt for node in rabbitmq.nodes]
    faults: list[Callable[[], object]] = [
        lambda: _kill(workers["ingest-1"]),
        leader.kill,
        workers["ingest-1"].start,
        lambda: _kill(workers["ingest-2"]),
    ]

    with Sender(
        device.device_id,
        broker.add_device(device.device_id),
        ports,
        make=lambda event_id, number: device.passage(number, id=event_id).to_json(),
    ) as sender:
        for fault in faults:
            enough = len(sender.confirmed) + 300
            wait_until(lambda: len(sender.confirmed) > enough, what="events", limit_s=60)  # noqa: B023
            fault()
    rabbitmq.launch(leader)
    rabbitmq.wait_ready(leader)
    wait_until(lambda: sender.confirmed <= _stored(owner_url).keys(), what="all", limit_s=60)

    assert set(_stored(owner_url).values()) == {1}


def test_no_message_that_the_broker_confirmed_is_lost_when_the_queue_s_leader_is_killed(
    rabbitmq: RabbitCluster, broker: RabbitForTests, workers: dict[str, Worker]
) -> None:
    for worker in workers.values():  # the queue is there, and nobody takes anything out of it
        _kill(worker)
    leader = _leader(rabbitmq)
    secret = broker.add_device("gate-once")
    ports = [node.ports.mqtt for node in rabbitmq.nodes if node is not leader]

    with Sender("gate-once", secret, ports) as sender:
        wait_until(lambda: len(sender.confirmed) > 300, what="messages", limit_s=30)
        leader.kill()
        before = len(sender.confirmed)
        wait_until(
            lambda: len(sender.confirmed) > before + 300, what="messages after it", limit_s=60
        )
    rabbitmq.launch(leader)
    rabbitmq.wait_ready(leader)

    held = waiting_ids(rabbitmq)
    assert sender.confirmed <= held
    assert len(held) <= sender.sent


def _worker(name: str, rabbitmq: RabbitCluster, database_url: str, folder: Path) -> Worker:
    password_file = folder / "ingest.password"
    password_file.write_text(rabbitmq.ingest_secret, encoding="utf-8")
    nodes = [f"{LOOPBACK}:{node.ports.amqp}" for node in rabbitmq.nodes]
    return Worker(
        name=name,
        log_file=folder / f"{name}.log",
        environment={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LUUTHONG_CENTRAL_DATABASE_URL": database_url,
            "LUUTHONG_CENTRAL_EVIDENCE_FOLDER": str(folder / "evidence"),
            "LUUTHONG_CENTRAL_BROKER__HOST": LOOPBACK,
            "LUUTHONG_CENTRAL_BROKER__USERNAME": INGEST_USERNAME,
            "LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE": str(password_file),
            "LUUTHONG_CENTRAL_BROKER__CLIENT_ID": name,
            "LUUTHONG_CENTRAL_BROKER__RABBITMQ__NODES": json.dumps(nodes),
        },
    )


def _kill(worker: Worker) -> None:
    assert worker.process is not None
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait()


def _leader(rabbitmq: RabbitCluster) -> RabbitNode:
    """The node that orders the queue's messages: the worst one to lose."""
    name = rabbitmq.manage("GET", f"queues/{VHOST}/{INGEST_QUEUE}").json()["leader"]
    return next(node for node in rabbitmq.nodes if node.name == name)


def _stored(owner_url: str) -> dict[UUID, int]:
    """How often each passage is stored."""
    with psycopg.connect(owner_url) as connection:
        return Counter(row[0] for row in connection.execute("SELECT id FROM passage"))


def _start(edges: dict[str, Edge], *, lasts_s: float) -> None:
    """Let all devices capture from now on for so long."""
    for edge in edges.values():
        edge.work = replace(edge.work, until_s=time.monotonic() + lasts_s)
        edge.start()


def _has_every_member(rabbitmq: RabbitCluster) -> bool:
    """Whether the queue is up on all nodes again: the next one may be lost."""
    found = rabbitmq.manage("GET", f"queues/{VHOST}/{INGEST_QUEUE}").json()
    return len(found.get("online", ())) == rabbitmq.size


def _connections(edge: Edge) -> int:
    """How often a device came to a node."""
    return (edge.work.folder / "edge.log").read_text("utf-8").count("broker_connected")


def _is_drained(edges: dict[str, Edge]) -> bool:
    """Whether every device has captured its last event, and the centre has committed all."""
    return all(
        has_ended(edge.work.truth_file) and look_into(edge.work.outbox_file).events == 0
        for edge in edges.values()
    )
