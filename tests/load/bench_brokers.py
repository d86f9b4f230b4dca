# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a RabbitMQ cluster of three nodes costs against one mosquitto, all on this machine.

Two figures of each, in turns: how fast devices get the broker's receipts (PUBACK) while nobody
reads, and how fast one ingest's link then reads and acknowledges what waits. No database is in it,
so that the broker is what is measured. ``make bench-brokers``.
"""

import json
import os
import queue
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import paho.mqtt.client as mqtt
import typer
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from rich.console import Console
from rich.table import Table
from uuid_utils import uuid7

from central.broker_settings import BrokerSettings, RabbitSettings
from central.contracts.passage import PassageV1
from central.contracts.topics import Stream, Topic
from central.devices.rabbitmq.accounts import ManagementAccess, RabbitAccounts
from central.ingest.broker.choice import broker_link
from central.ingest.metrics import IngestMetrics
from central.ingest.types import ParsedMessage
from deploy.local.broker import PrivateBroker, new_secret
from deploy.local.ports import LOOPBACK, free_port
from deploy.rabbitmq.cluster import RabbitCluster
from deploy.setup.components import require_servers
from deploy.setup.places import server_account
from deploy.setup.rabbitmq import require_rabbitmq

SAMPLE: Final = Path(__file__).resolve().parents[1] / "contract" / "samples" / "passage-1.json"
DEVICES: Final = tuple(f"gate-{number}" for number in range(1, 5))
WINDOW: Final = 64
"""What a device has in flight by default."""

IN_FLIGHT_MAX: Final = 2000
BATCH: Final = 500
WAIT_S: Final = 300.0
MOSQUITTO: Final = "mosquitto"
RABBITMQ: Final = "RabbitMQ, three nodes"


@dataclass(kw_only=True)
class Side:
    """One of the two brokers.

    Attributes:
        ports: Where devices come; they are shared out among them.
        settings: How ingest reaches it.
        secrets: Passwords of the devices.
    """

    ports: tuple[int, ...]
    settings: BrokerSettings
    secrets: dict[str, str]
    confirmed: list[float] = field(default_factory=list)
    read: list[float] = field(default_factory=list)


def main(
    *,
    events: int = typer.Option(8_000, min=BATCH, help="Messages of one round."),
    rounds: int = typer.Option(3, min=1, max=50, help="Rounds; the median counts."),
) -> None:
    """Print confirmed and read events per second of both brokers."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="lt-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with _mosquitto(folder) as one, _rabbitmq(folder) as three:
            sides = {MOSQUITTO: one, RABBITMQ: three}
            for side in sides.values():
                _read(side, 0)  # from here on the broker keeps messages for ingest
            for _ in range(rounds):
                for side in sides.values():
                    side.confirmed.append(_send(side, events))
                    side.read.append(_read(side, events))
    _show(console, sides, rounds=rounds)


@contextmanager
def _mosquitto(folder: Path) -> Iterator[Side]:
    servers, ingest_secret = require_servers(), new_secret()
    broker = PrivateBroker(
        folder=folder / "broker",
        program=servers.mosquitto,
        plugin=servers.dynamic_security,
        port=free_port(),
        account=server_account(),
        log_file=folder / "mosquitto.log",
        control_secret=new_secret(),
    )
    broker.init(ingest_secret=ingest_secret)
    broker.start()
    try:
        yield Side(
            ports=(broker.port,),
            settings=_settings(folder / "mosquitto.password", ingest_secret, port=broker.port),
            secrets={device: broker.add_device(device) for device in DEVICES},
        )
    finally:
        broker.stop()


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[Side]:
    cluster = RabbitCluster(
        folder=folder / "rq",
        programs=require_rabbitmq(),
        account=server_account(),
        log_folder=folder,
        control_secret=new_secret(),
        ingest_secret=new_secret(),
    )
    cluster.init()
    secrets = {device: new_secret() for device in DEVICES}
    urls = tuple(node.management_url for node in cluster.nodes)
    nodes = tuple(f"{LOOPBACK}:{node.ports.amqp}" for node in cluster.nodes)
    ports = tuple(node.ports.mqtt for node in cluster.nodes)
    settings = _settings(folder / "rabbitmq.password", cluster.ingest_secret, port=ports[0])
    try:
        cluster.start()
        with RabbitAccounts(ManagementAccess(urls=urls, secret=cluster.control_secret)) as accounts:
            for device, secret in secrets.items():
                accounts.let_in(device, secret=secret)
        yield Side(
            ports=ports,
            settings=settings.model_copy(update={"rabbitmq": RabbitSettings(nodes=nodes)}),
            secrets=secrets,
        )
    finally:
        cluster.stop()


def _settings(password_file: Path, secret: str, *, port: int) -> BrokerSettings:
    password_file.write_text(secret, encoding="utf-8")
    return BrokerSettings(host=LOOPBACK, port=port, password_file=password_file)


def _send(side: Side, events: int) -> float:
    """Messages per second that the broker confirmed to all devices together."""
    share = events // len(DEVICES)
    payloads = {device: _payloads(device, share) for device in DEVICES}
    devices = [
        _Device(device, side.secrets[device], side.ports[turn % len(side.ports)])
        for turn, device in enumerate(DEVICES)
    ]
    began = time.perf_counter()
    threads = [
        threading.Thread(target=device.send, args=(payloads[device.name],)) for device in devices
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    rate = share * len(DEVICES) / (time.perf_counter() - began)
    for device in devices:
        device.close()
    return rate


class _Device:
    """A connected device that has as much in flight as the product's."""

    def __init__(self, name: str, secret: str, port: int) -> None:
        self.name = name
        self._room = threading.Semaphore(WINDOW)
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5
        )
        self._client.username_pw_set(name, secret)
        self._client.max_inflight_messages_set(WINDOW)
        is_in = threading.Event()
        self._client.on_connect = lambda *_: is_in.set()
        self._client.on_publish = lambda *_: self._room.release()
        self._client.connect(LOOPBACK, port)
        self._client.loop_start()
        assert is_in.wait(WAIT_S)

    def send(self, payloads: list[bytes]) -> None:
        """Send all, and wait for the last receipt."""
        for payload in payloads:
            self._room.acquire()
            self._client.publish(_topic(self.name), payload, qos=1)
        for _ in range(WINDOW):
            self._room.acquire()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _read(side: Side, events: int) -> float:
    """Messages per second that one link reads and acknowledges, from its start to the last."""
    messages = queue.Queue[ParsedMessage](maxsize=2 * IN_FLIGHT_MAX)
    metrics = IngestMetrics()
    link = broker_link(
        side.settings, messages=messages, in_flight_max=IN_FLIGHT_MAX, metrics=metrics
    )
    with link.connected():
        while metrics.registry.get_sample_value("luuthong_ingest_broker_connected") != 1:
            time.sleep(0.01)
        began = time.perf_counter()
        for first in range(0, events, BATCH):
            number = min(BATCH, events - first)
            batch = [messages.get(timeout=WAIT_S) for _ in range(number)]
            link.acknowledge([message.delivery for message in batch], [])
        return events / (time.perf_counter() - began)


def _topic(device: str) -> str:
    return str(Topic(province="dak-lak", site_id="km12", device_id=device, stream=Stream.PASSAGE))


def _payloads(device: str, number: int) -> list[bytes]:
    sample = PassageV1.model_validate(json.loads(SAMPLE.read_text("utf-8")))
    outbox_id = uuid4()
    changes = {"device_id": device, "outbox_id": outbox_id, "evidence": ()}
    return [
        sample.model_copy(update={**changes, "id": UUID(str(uuid7())), "seq": seq}).to_json()
        for seq in range(1, number + 1)
    ]


def _show(console: Console, sides: dict[str, Side], *, rounds: int) -> None:
    load = os.getloadavg()[0]
    table = Table(title=f"median of {rounds} rounds, load of this machine {load:.1f}")
    for heading in ("", *sides):
        table.add_column(heading, justify="right" if heading else "left")
    table.add_row(
        f"confirmed to {len(DEVICES)} devices, events/s",
        *(_spread(side.confirmed) for side in sides.values()),
    )
    table.add_row(
        "read and acknowledged by one ingest, events/s",
        *(_spread(side.read) for side in sides.values()),
    )
    console.print(table)


def _spread(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


if __name__ == "__main__":
    typer.run(main)
